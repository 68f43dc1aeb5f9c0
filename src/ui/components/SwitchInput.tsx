// Yes or no, as a native checkbox with its words.
import { useId } from 'react';
import s from './controls.module.css';

type SwitchInputProps = {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly value: boolean;
  readonly isDisabled?: boolean;
  readonly onChange: (value: boolean) => void;
};

/** A checkbox. */
export function SwitchInput({ label, hint, value, isDisabled = false, onChange }: SwitchInputProps) {
  const id = useId();
  return (
    <div className={s['switch']}>
      <input
        id={id}
        type="checkbox"
        checked={value}
        disabled={isDisabled}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={({ target }) => onChange(target.checked)}
      />
      <label className={s['label']} htmlFor={id}>
        {label}
      </label>
      {hint && (
        <p className={s['hint']} id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}
