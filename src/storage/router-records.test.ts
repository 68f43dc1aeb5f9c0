import 'fake-indexeddb/auto';
import { expect, test } from 'vitest';
import { changeRouterRecord, readRouterRecord } from './router-records';

test('changes at the same moment all count', async () => {
  expect(await readRouterRecord('ledger')).toBeUndefined();
  const add = (value: unknown) => ((value as number | undefined) ?? 0) + 1;
  const results = await Promise.all(Array.from({ length: 20 }, () => changeRouterRecord('ledger', add)));
  expect([...results].sort((a, b) => Number(a) - Number(b))).toEqual(
    Array.from({ length: 20 }, (_, i) => i + 1),
  );
  expect(await readRouterRecord('ledger')).toBe(20);
});

test('a change that throws leaves the record as it was', async () => {
  await changeRouterRecord('list', () => ['a']);
  const failing = changeRouterRecord('list', () => {
    throw new Error('bug');
  });
  await expect(failing).rejects.toMatchObject({ code: 'storage-failed' });
  expect(await readRouterRecord('list')).toEqual(['a']);
});
