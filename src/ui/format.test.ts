import { expect, test } from 'vitest';
import { countOf, formatBytes, formatDuration, formatLoss, formatSeconds } from './format';

test('numbers read as a person says them', () => {
  expect([0, 999, 1500, 999_499, 999_500, 2_340_000, 45e6, 1.26e9].map(formatBytes)).toEqual([
    '0 B',
    '999 B',
    '2 kB',
    '999 kB',
    '1.0 MB',
    '2.3 MB',
    '45 MB',
    '1.3 GB',
  ]);
  expect([0.2, 40, 89, 100, 3600, 4800, 7199].map(formatDuration)).toEqual([
    'under 1 s',
    '40 s',
    '89 s',
    '2 min',
    '1 h',
    '1 h 20 min',
    '2 h',
  ]);
  expect([0.3149, 12.4].map(formatSeconds)).toEqual(['0.31 s', '12 s']);
  expect(formatLoss(0.123456)).toBe('0.123');
  expect([countOf(1, 'photo'), countOf(0, 'photo'), countOf(2, 'copy', 'copies')]).toEqual([
    '1 photo',
    '0 photos',
    '2 copies',
  ]);
});
