// What to draw, and what not.
import { useStore } from 'zustand';
import { editForm } from '../../../state/drawing';
import { useApp } from '../../app-context';
import { Field } from '../../components/Field';

/** The two prompts. */
export function PromptFields() {
  const app = useApp();
  const { prompt, negativePrompt, subjectId } = useStore(app.form);
  const subject = useStore(app.subjects, (subjects) => subjects.find(({ id }) => id === subjectId));
  const words = subject?.kind === 'run' ? `${subject.subjectWord} ${subject.className}` : 'toy';
  return (
    <>
      <Field label="Prompt">
        {(props) => (
          <textarea
            {...props}
            rows={3}
            placeholder={`a photo of ${words} on the beach`}
            value={prompt}
            onChange={({ target }) => editForm(app, { prompt: target.value })}
          />
        )}
      </Field>
      <Field label="Negative prompt">
        {(props) => (
          <input
            {...props}
            placeholder="what to keep out"
            value={negativePrompt}
            onChange={({ target }) => editForm(app, { negativePrompt: target.value })}
          />
        )}
      </Field>
    </>
  );
}
