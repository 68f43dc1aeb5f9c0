import { expect, test } from 'vitest';
import { MemoryAccount } from './memory';

test('adds up by label and forgets what is given back, once', () => {
  const account = new MemoryAccount();
  const first = account.add('weights', 100);
  const second = account.add('weights', 20);
  account.add('state', 3);
  expect(account.entries()).toEqual({ weights: 120, state: 3 });
  first();
  first();
  expect(account.entries()).toEqual({ weights: 20, state: 3 });
  second();
  expect(account.entries()).toEqual({ state: 3 });
});
