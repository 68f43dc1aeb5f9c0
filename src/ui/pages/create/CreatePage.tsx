// Create: the prompt and its settings, the drawing under way, and the pictures so far.
import { useEffect, type KeyboardEvent } from 'react';
import { useStore } from 'zustand';
import { generate } from '../../../state/drawing';
import { refreshSubjects } from '../../../state/subjects';
import { useApp } from '../../app-context';
import { FailureNote } from '../../components/FailureNote';
import p from '../page.module.css';
import s from './Create.module.css';
import { DrawControls } from './DrawControls';
import { DrawSettings } from './DrawSettings';
import { ImageList } from './ImageList';
import { LivePreview } from './LivePreview';
import { PromptFields } from './PromptFields';
import { StartPicture } from './StartPicture';
import { SubjectFields } from './SubjectFields';

/** The place Create. */
export function CreatePage() {
  const app = useApp();
  const drawing = useStore(app.drawing);
  useEffect(() => void refreshSubjects(app), [app]);
  const press = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey) || event.nativeEvent.isComposing) return;
    event.preventDefault();
    void generate(app);
  };
  return (
    <div onKeyDown={press}>
      <div className={p['head']}>
        <h1>Create</h1>
      </div>
      <div className={s['columns']}>
        <section className={p['panel']} aria-label="What to draw">
          <PromptFields />
          <DrawControls />
          <StartPicture />
          <SubjectFields />
          <DrawSettings />
        </section>
        <div className={p['column']}>
          {drawing.phase === 'failed' && drawing.place === 'create' && (
            <FailureNote failure={drawing.failure} />
          )}
          {drawing.phase === 'running' && drawing.place === 'create' && <LivePreview drawing={drawing} />}
          <ImageList />
        </div>
      </div>
    </div>
  );
}
