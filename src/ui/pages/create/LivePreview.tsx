// The drawing under way: the picture as it appears, and how far it is.
import { useStore } from 'zustand';
import { drawnPart, type Drawing } from '../../../state/drawing-state';
import { useApp } from '../../app-context';
import { LiveCanvas } from '../../components/LiveCanvas';
import { ProgressBar } from '../../components/ProgressBar';
import s from './Create.module.css';

/** The stage with the progress bar "Generating". */
export function LivePreview({ drawing }: { readonly drawing: Extract<Drawing, { phase: 'running' }> }) {
  const prompt = useStore(useApp().form, (form) => form.prompt);
  const { image, batch, images, step, steps, isQueued } = drawing;
  const which = batch > 1 ? `Pictures ${image + 1} to ${image + batch}` : `Picture ${image + 1}`;
  const words = isQueued
    ? 'Waiting for memory that training uses'
    : `${which} of ${images}, step ${step} of ${steps}`;
  return (
    <section className={s['stage']} aria-label="Drawing">
      <div className={s['live']}>
        <LiveCanvas />
        <div>
          <p>{prompt}</p>
          <p className="numbers">{words}</p>
          <ProgressBar label="Generating" value={isQueued ? undefined : drawnPart(drawing)} words={words} />
        </div>
      </div>
    </section>
  );
}
