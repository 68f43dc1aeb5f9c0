// Whose likeness, which weights of it, and how strongly.
import { useStore } from 'zustand';
import { editForm } from '../../../state/drawing';
import { drawable } from '../../../state/subjects-state';
import { useApp } from '../../app-context';
import { Button } from '../../components/Button';
import { RangeInput } from '../../components/RangeInput';
import { SelectInput } from '../../components/SelectInput';
import p from '../page.module.css';

/** The combobox "Subject" and the slider "Subject strength". */
export function SubjectFields() {
  const app = useApp();
  const { subjectId, checkpointStep, subjectStrength, prompt } = useStore(app.form);
  const subjects = useStore(app.subjects);
  const subject = subjects.find(({ id }) => id === subjectId);
  const step = checkpointStep === undefined ? '' : ` at step ${checkpointStep}`;
  const options = [
    ['', 'None: the base model alone'],
    ...drawable(subjects).map(({ id, name }) => [id, id === subjectId ? name + step : name] as const),
  ] as const;
  const words = subject?.kind === 'run' ? `${subject.subjectWord} ${subject.className}` : undefined;
  const isUnsaid = words !== undefined && !prompt.toLowerCase().includes(words.toLowerCase());
  return (
    <>
      <SelectInput
        label="Subject"
        value={subjectId ?? ''}
        options={options}
        onChange={(id) => editForm(app, { subjectId: id === '' ? undefined : id })}
      />
      {isUnsaid && (
        <p className={p['tip']}>
          The prompt does not say “{words}”, the words for this subject.{' '}
          <Button
            look="quiet"
            onPress={() => editForm(app, { prompt: `${prompt.trim() || 'a photo of'} ${words}` })}
          >
            Add them
          </Button>
        </p>
      )}
      {subjectId !== undefined && (
        <RangeInput
          label="Subject strength"
          lowest={0}
          highest={2}
          step={0.05}
          value={subjectStrength}
          onChange={(next) => editForm(app, { subjectStrength: next })}
        />
      )}
    </>
  );
}
