// Label, control, hint and error, tied together by ids for screen readers.
import { useId, type ReactNode } from 'react';
import s from './controls.module.css';

export type FieldWords = {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly error?: string | undefined;
};

export type ControlProps = {
  readonly id: string;
  readonly className: string;
  readonly 'aria-describedby': string | undefined;
  readonly 'aria-invalid': true | undefined;
};

/** A labelled field around the control that `children` makes. */
export function Field({
  label,
  hint,
  error,
  children,
}: FieldWords & { readonly children: (props: ControlProps) => ReactNode }) {
  const id = useId();
  const described = [hint ? `${id}-hint` : '', error ? `${id}-error` : ''].filter(Boolean).join(' ');
  return (
    <div className={s['field']}>
      <label className={s['label']} htmlFor={id}>
        {label}
      </label>
      {children({
        id,
        className: s['input']!,
        'aria-describedby': described || undefined,
        'aria-invalid': error ? true : undefined,
      })}
      {error && (
        <p className={s['error']} id={`${id}-error`}>
          {error}
        </p>
      )}
      {hint && (
        <p className={s['hint']} id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}
