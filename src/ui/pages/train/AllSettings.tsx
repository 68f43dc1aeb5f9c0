// Every training setting, from the table in state.
import { useStore } from 'zustand';
import type { TrainingSettings } from '../../../state/workspace-state';
import { modelOf } from '../../../state/engine-state';
import {
  settingFields,
  settingKeys,
  type NumberKey,
  type SettingField,
} from '../../../state/training-settings';
import { setSetting } from '../../../state/workspace';
import { useApp } from '../../app-context';
import { Field } from '../../components/Field';
import { NumberInput } from '../../components/NumberInput';
import { SelectInput } from '../../components/SelectInput';
import { SwitchInput } from '../../components/SwitchInput';
import p from '../page.module.css';

/** All fields but Steps, which stands outside the disclosure. */
export function AllSettings() {
  const settings = useStore(useApp().workspace, ({ run }) => run.settings);
  if (!settings)
    return <p className={p['soft']}>The settings come with the model, which is still loading.</p>;
  return (
    <div className={p['fields']} style={{ paddingTop: 'var(--space-3)' }}>
      {settingKeys
        .filter((key) => key !== 'steps')
        .map((key) => (
          <Setting key={key} name={key} settings={settings} />
        ))}
    </div>
  );
}

type SettingProps = { readonly name: keyof TrainingSettings; readonly settings: TrainingSettings };

function Setting({ name, settings }: SettingProps) {
  const app = useApp();
  const ranges = useStore(app.engine, modelOf)?.settingRanges;
  const field: SettingField = settingFields[name];
  const { label } = field;
  const hint = field.hint === undefined ? {} : { hint: field.hint };
  const value = settings[name];
  const set = (next: string | number | boolean) => setSetting(app, name, next as never);
  switch (field.kind) {
    case 'number': {
      const [lowest, highest, isWhole] = ranges?.[name as NumberKey] ?? [0, 1e9, false];
      const step = isWhole ? 1 : 'any';
      return (
        <NumberInput
          label={label}
          {...hint}
          value={value as number}
          {...{ lowest, highest, step }}
          onChange={set}
        />
      );
    }
    case 'switch':
      return <SwitchInput label={label} {...hint} value={value as boolean} onChange={set} />;
    case 'choice':
      return (
        <SelectInput
          label={label}
          {...hint}
          value={value as string}
          options={Object.entries(field.options as Record<string, string>)}
          onChange={set}
        />
      );
    case 'text':
      return (
        <Field label={label} {...hint}>
          {(props) => (
            <input {...props} value={value as string} onChange={({ target }) => set(target.value)} />
          )}
        </Field>
      );
  }
}
