// The words and settings that a run was started with.
import { settingFields, settingKeys, type SettingField } from '../../../state/training-settings';
import type { WorkRun } from '../../../state/workspace-state';
import { Disclosure, DisclosurePanel } from 'react-aria-components/Disclosure';
import { Button } from '../../components/Button';
import p from '../page.module.css';
import s from './Train.module.css';

/** What cannot change any more, to read. */
export function RunSummary({ run }: { readonly run: WorkRun }) {
  const { settings, subjectWord, className } = run;
  return (
    <section className={p['panel']} aria-labelledby="summary-title">
      <h2 id="summary-title">This run</h2>
      <dl className={p['facts']}>
        <dt>Subject word</dt>
        <dd>{subjectWord}</dd>
        <dt>Class</dt>
        <dd>{className}</dd>
        <dt>Steps</dt>
        <dd>{settings?.steps}</dd>
      </dl>
      {settings && (
        <Disclosure className={s['disclosure']!}>
          <Button slot="trigger" look="quiet" icon="settings">
            All settings
          </Button>
          <DisclosurePanel>
            <dl className={p['facts']} style={{ paddingTop: 'var(--space-3)' }}>
              {settingKeys.map((key) => (
                <div key={key} style={{ display: 'contents' }}>
                  <dt>{settingFields[key].label}</dt>
                  <dd>{valueOf(settingFields[key], settings[key])}</dd>
                </div>
              ))}
            </dl>
          </DisclosurePanel>
        </Disclosure>
      )}
    </section>
  );
}

function valueOf(field: SettingField, value: string | number | boolean): string {
  if (typeof value === 'boolean') return value ? 'Yes' : 'No';
  if (field.kind === 'choice') return (field.options as Record<string, string>)[value] ?? String(value);
  return value === '' ? 'Default caption' : String(value);
}
