// Small settings of the page, one record each, typed by name.
import { get, set } from 'idb-keyval';
import { z } from 'zod';
import { guard, storeOf } from './database';

const schemas = {
  compute: z.enum(['automatic', 'webgpu', 'wasm']),
  precision: z.enum(['automatic', 'full']),
  weights: z.enum(['original', '8-bit', '4-bit']),
  lastModelId: z.string(),
  /** Measured seconds of one step, by a key of what was measured (backend, model, shape). */
  secondsPerStep: z.record(z.string(), z.number().positive()),
};

export type SettingName = keyof typeof schemas;
export type SettingValue<Name extends SettingName> = z.infer<(typeof schemas)[Name]>;

const settings = storeOf('settings');
const recordSchema = z.strictObject({ version: z.literal(1), value: z.unknown() });

/** The stored value, or undefined where there is none; one that is no longer understood counts as none, for a setting can be made again. */
export function loadSetting<Name extends SettingName>(name: Name): Promise<SettingValue<Name> | undefined> {
  return guard('setting', async () => {
    const record = recordSchema.safeParse(await get<unknown>(name, settings));
    const value = schemas[name].safeParse(record.data?.value);
    return value.data as SettingValue<Name> | undefined;
  });
}

/** Stores a value. Throws AppError('storage-full' | 'storage-failed'). */
export function saveSetting<Name extends SettingName>(name: Name, value: SettingValue<Name>): Promise<void> {
  return guard('setting', () => set(name, { version: 1, value: schemas[name].parse(value) }, settings));
}
