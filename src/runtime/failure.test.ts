import { expect, test } from 'vitest';
import { AppError } from '../base/errors';
import { toAppError } from './failure';

// the words as ONNX Runtime Web 1.30, V8 and Dawn say them
test.each([
  [new Error("Can't create a session. ERROR_CODE: 6, ERROR_MESSAGE: std::bad_alloc"), 'out-of-memory'],
  [new WebAssembly.RuntimeError('memory access out of bounds'), 'out-of-memory'],
  [new RangeError('Array buffer allocation failed'), 'out-of-memory'],
  [new Error("Can't create a session. failed to allocate a buffer of size 12."), 'out-of-memory'],
  [5246024, 'out-of-memory'],
  [new Error('WebGPU validation failed. [Device] is lost.'), 'device-lost'],
  [new Error('failed to call OrtRun(). ERROR_CODE: 1, ERROR_MESSAGE: Non-zero status code'), 'engine-failed'],
  ['abort', 'engine-failed'],
])('%s becomes %s', (error, code) => {
  const translated = toAppError(error, 'UNet');
  expect(translated).toBeInstanceOf(AppError);
  expect(translated).toMatchObject({ code, details: { what: 'UNet' }, cause: error });
});

test('the app’s own errors and aborts stay as they are', () => {
  const own = new AppError('bad-file', { file: 'x' });
  const abort = new DOMException('stopped', 'AbortError');
  expect(toAppError(own, 'UNet')).toBe(own);
  expect(toAppError(abort, 'UNet')).toBe(abort);
});
