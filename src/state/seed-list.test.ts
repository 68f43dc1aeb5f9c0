import { expect, test } from 'vitest';
import { parseSeedList } from './seed-list';

test.each([
  ['', []],
  ['7', [7]],
  ['1, 5, 9-12', [1, 5, 9, 10, 11, 12]],
  [' 4294967295 ,0, ', [4294967295, 0]],
  ['3 – 4', [3, 4]],
] as const)('"%s"', (text, seeds) => {
  expect(parseSeedList(text)).toEqual(seeds);
});

test.each(['a', '1;2', '-1', '1.5', '5-1', '4294967296', '0-100', '0-4294967295', '1-50, 1-51'])(
  '"%s" is no list of seeds',
  (text) => expect(parseSeedList(text)).toBeUndefined(),
);
