// A number in a labelled native field (role spinbutton). What is typed may be anything in between; only numbers are handed on.
import { useState } from 'react';
import { Field, type FieldWords } from './Field';

type NumberInputProps = FieldWords & {
  readonly value: number | undefined; // undefined while it is not known
  readonly lowest: number;
  readonly highest: number;
  readonly step?: number | 'any';
  readonly isDisabled?: boolean;
  readonly onChange: (value: number) => void;
};

/** A number field. Leaving it with something that is no number brings the last number back. */
export function NumberInput({
  value,
  lowest,
  highest,
  step = 1,
  isDisabled = false,
  onChange,
  ...words
}: NumberInputProps) {
  const [draft, setDraft] = useState<string>();
  const text = draft ?? (value === undefined ? '' : String(value));
  const number = Number(text);
  const isNumber = text.trim() !== '' && Number.isFinite(number);
  const isInRange =
    isNumber && number >= lowest && number <= highest && (step !== 1 || Number.isInteger(number));
  const range = `Between ${lowest} and ${highest}${step === 1 ? ', a whole number' : ''}.`;
  const error =
    words.error ?? (text === '' && draft === undefined ? undefined : isInRange ? undefined : range);
  return (
    <Field {...words} error={error}>
      {(props) => (
        <input
          {...props}
          type="number"
          inputMode={step === 1 ? 'numeric' : 'decimal'}
          min={lowest}
          max={highest}
          step={step}
          value={text}
          disabled={isDisabled || value === undefined}
          onChange={({ target }) => {
            setDraft(target.value);
            const next = Number(target.value);
            if (target.value.trim() !== '' && Number.isFinite(next)) onChange(next);
          }}
          onBlur={() => setDraft(undefined)}
          onWheel={({ currentTarget }) => currentTarget.blur()} // scrolling the page must not change it
        />
      )}
    </Field>
  );
}
