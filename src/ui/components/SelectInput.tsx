// One of several, in a labelled native select (role combobox).
import { Field, type FieldWords } from './Field';

type SelectInputProps<Value extends string> = FieldWords & {
  readonly value: Value;
  readonly options: readonly (readonly [Value, string])[];
  readonly isDisabled?: boolean;
  readonly onChange: (value: Value) => void;
};

/** A select field. */
export function SelectInput<Value extends string>({
  value,
  options,
  isDisabled = false,
  onChange,
  ...words
}: SelectInputProps<Value>) {
  return (
    <Field {...words}>
      {(props) => (
        <select
          {...props}
          value={value}
          disabled={isDisabled}
          onChange={({ target }) => onChange(target.value as Value)}
        >
          {options.map(([option, label]) => (
            <option key={option} value={option}>
              {label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
