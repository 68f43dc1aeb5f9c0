// A number on a slider, with its value beside it.
import { Field } from './Field';
import s from './controls.module.css';

type RangeInputProps = {
  readonly label: string;
  readonly value: number;
  readonly lowest: number;
  readonly highest: number;
  readonly step: number;
  readonly onChange: (value: number) => void;
};

/** A slider with two decimals, or none where its steps are whole. */
export function RangeInput({ label, value, lowest, highest, step, onChange }: RangeInputProps) {
  return (
    <Field label={label}>
      {({ id, ...described }) => (
        <span className={s['slider']}>
          <input
            id={id}
            aria-describedby={described['aria-describedby']}
            type="range"
            min={lowest}
            max={highest}
            step={step}
            value={value}
            onChange={({ target }) => onChange(Number(target.value))}
          />
          <output htmlFor={id} className="numbers">
            {value.toFixed(step < 1 ? 2 : 0)}
          </output>
        </span>
      )}
    </Field>
  );
}
