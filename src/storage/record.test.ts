import { expect, test } from 'vitest';
import { z } from 'zod';
import { parseReadable, parseRecord, type RecordFormat } from './record';

type Third = { readonly version: 3; readonly fullName: string; readonly age: number };

const format: RecordFormat<Third> = {
  what: 'person',
  schema: z.strictObject({ version: z.literal(3), fullName: z.string(), age: z.number() }),
  migrations: {
    1: ({ name }) => ({ version: 2, name, age: 0 }),
    2: ({ name, age }) => ({ version: 3, fullName: name, age }),
  },
};

test('an old record is brought to the newest version, step by step', () => {
  expect(parseRecord(format, { version: 1, name: 'Ada' })).toEqual({ version: 3, fullName: 'Ada', age: 0 });
  expect(parseRecord(format, { version: 2, name: 'Ada', age: 9 })).toEqual({
    version: 3,
    fullName: 'Ada',
    age: 9,
  });
  expect(parseRecord(format, { version: 3, fullName: 'Ada', age: 9 })).toEqual({
    version: 3,
    fullName: 'Ada',
    age: 9,
  });
});

test.each([
  ['newer', { version: 4, fullName: 'Ada', age: 9 }],
  ['extra field', { version: 3, fullName: 'Ada', age: 9, pet: 'cat' }],
  ['missing field', { version: 3, fullName: 'Ada' }],
  ['no version', { fullName: 'Ada', age: 9 }],
  ['nothing', undefined],
])('a record that no version describes is refused: %s', (_, value) => {
  expect(() => parseRecord(format, value)).toThrow(
    expect.objectContaining({ code: 'storage-failed' }) as Error,
  );
});

test('a list leaves out what cannot be read', () => {
  const people = parseReadable(format, [{ version: 1, name: 'Ada' }, { version: 4 }, null]);
  expect(people).toEqual([{ version: 3, fullName: 'Ada', age: 0 }]);
});
