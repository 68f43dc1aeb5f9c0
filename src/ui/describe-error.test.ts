import { expect, test } from 'vitest';
import { describeFailure } from './describe-error';

const failure = (code: Parameters<typeof describeFailure>[0]['code'], details = {}) =>
  describeFailure({ code, details, technical: '' });

test('a photo that cannot be used is named with the reason and what to do', () => {
  expect(failure('bad-image', { file: 'a.heic', reason: 'heic' }).text).toBe(
    '“a.heic” is a HEIC photo, which this browser cannot read. Export it as JPEG, or use Safari. The others are kept.',
  );
  expect(failure('bad-image', { file: 'a.jpg', reason: 'unheard of' }).text).toBe(
    '“a.jpg” could not be read. The others are kept.',
  );
});

test('details that are not there leave no hole in the sentence', () => {
  expect(failure('bad-file').text).toBe(
    '“the file” is damaged or of another kind. Nothing was changed. Get the file again, as .safetensors.',
  );
  expect(failure('out-of-memory', { neededBytes: 3e9 }).text).toContain('asked for (3.0 GB).');
  expect(failure('out-of-memory').text).toContain('asked for. Nothing');
});

test('a full disk offers to free storage, a dead engine to start again', () => {
  expect([failure('storage-full').remedy, failure('engine-failed').remedy]).toEqual([
    'free-storage',
    'restart-engine',
  ]);
});
