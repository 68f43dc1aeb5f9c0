// Translates what ONNX Runtime, WebAssembly and WebGPU throw into the app's own errors.
import { AppError, isAbort, isAppError } from '../base/errors';

// the words of std::bad_alloc, of a size beyond 32 bits, of a wasm heap at its end, of typed arrays that cannot be had, and of Dawn
const memoryWords =
  /bad_alloc|SafeIntOnOverflow|out of memory|out_of_memory|memory access out of bounds|failed to allocate|allocation failed|invalid (typed )?array (buffer )?length|could not grow|cannot enlarge memory/i;

const lostWords = /device\]? (is |was )?(lost|destroyed)/i;

function isOutOfMemory(error: unknown): boolean {
  if (typeof error === 'number') return true; // a C++ exception that left wasm as a bare pointer: only bad_alloc does
  if (error instanceof RangeError) return true;
  return memoryWords.test(textOf(error));
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** `error` as an AppError whose details name `what` was being done; an AppError or an abort stays as it is. */
export function toAppError(error: unknown, what: string): Error {
  if (isAppError(error)) return error;
  if (isAbort(error)) return error as Error;
  if (isOutOfMemory(error)) return new AppError('out-of-memory', { what }, error);
  if (lostWords.test(textOf(error))) return new AppError('device-lost', { what }, error);
  return new AppError('engine-failed', { what, reason: textOf(error) }, error);
}
