// Failures that a person can act on. One class with a code: a code is data and crosses worker boundaries, a class does not.

export type ErrorCode =
  | 'webgpu-missing' // WebGPU was asked for and is not there
  | 'engine-failed' // the worker or ONNX Runtime broke in a way that a reload may mend
  | 'device-lost' // the GPU went away in the middle of a job
  | 'out-of-memory' // the device or the wasm heap could not hold what was asked for
  | 'storage-full' // quota; details: neededBytes?, freeBytes?
  | 'storage-failed' // IndexedDB or OPFS refused for another reason
  | 'download-failed' // details: url-free file name, status?
  | 'file-missing' // the server does not have a file of the model; details: file
  | 'model-missing' // a model that is not, or not wholly, in this browser; details: model
  | 'hub-sign-in' // the hub wants a token, or knows no such model; details: model, hasToken
  | 'hub-gated' // the model's makers must give access first; details: model, hasToken
  | 'hub-missing' // the hub has no such model, revision or file; details: model, file?
  | 'hub-busy' // 429 or 5xx to every try; details: model, status, retryAfterSeconds?
  | 'hub-unreachable' // the connection failed to every try, or an answer that nobody expects; details: model, file?, status?
  | 'hub-wrong-file' // other bytes than the hub's own list says; details: model, file, reason ('size' | 'hash')
  | 'bad-file' // a weights file that is damaged or foreign; details: file, reason
  | 'bad-image' // a picture that cannot be used; details: file, reason, and isAlone where it was not one of several
  | 'bad-settings' // a setting outside its range; details: setting, reason
  | 'unsupported-model' // details: reason
  | 'wrong-model' // a LoRA file made for another base model; details: file, reason
  | 'run-locked' // another tab trains this run
  | 'not-finite' // the loss became NaN or infinite; details: step
  | 'half-overflow' // float16 was too small for a model's numbers while it drew
  | 'key-rejected' // not a key of OpenRouter; details: reason ('form' | 'refused')
  | 'sign-in-failed' // details: reason ('code' | 'expired' | 'network' | 'answer')
  | 'endpoint-failed'; // this browser runs no service worker for the page; details: reason

export type ErrorDetails = Readonly<Record<string, string | number | boolean>>;

/** An expected failure: `code` says which, `details` carries plain values for the sentence that the page shows. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, details: ErrorDetails = {}, cause?: unknown) {
    super(`${code} ${JSON.stringify(details)}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details;
  }
}

/** True for an AppError, also one of another realm. */
export function isAppError(error: unknown): error is AppError {
  return error instanceof Error && error.name === 'AppError' && 'code' in error;
}

/** Abort is not a failure: it is recognised by name, whatever realm it comes from. */
export function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
