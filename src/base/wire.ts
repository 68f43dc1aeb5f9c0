// What crosses a worker boundary besides plain data: AbortSignals, and AppErrors with their code and details. Imported for its
// effect by both sides, once, before comlink is used. Comlink looks at top-level arguments only.
import { transferHandlers, type TransferHandler } from 'comlink';
import { AppError, isAppError, type ErrorCode, type ErrorDetails } from './errors';

type WireSignal = { readonly port: MessagePort; readonly isAborted: boolean };

const signalHandler: TransferHandler<AbortSignal, WireSignal> = {
  canHandle: (value): value is AbortSignal => value instanceof AbortSignal,
  serialize: (signal) => {
    const { port1, port2 } = new MessageChannel();
    // The reason stays here: a DOMException may not survive the way, and an abort needs none.
    signal.addEventListener('abort', () => port1.postMessage('abort'), { once: true });
    return [{ port: port2, isAborted: signal.aborted }, [port2]];
  },
  deserialize: ({ port, isAborted }) => {
    const controller = new AbortController();
    if (isAborted) controller.abort();
    else port.onmessage = () => controller.abort();
    return controller.signal;
  },
};

type Thrown = { readonly value: unknown };
type WireAppError = {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  readonly stack: string | undefined;
  readonly cause: string | undefined;
};

const plainThrow = transferHandlers.get('throw') as TransferHandler<Thrown, unknown>;

const throwHandler: TransferHandler<Thrown, { readonly app: WireAppError } | { readonly plain: unknown }> = {
  canHandle: (value): value is Thrown => plainThrow.canHandle(value),
  serialize: (thrown) => {
    const { value } = thrown;
    if (isAppError(value)) {
      const { code, details, stack, cause } = value;
      const words = cause instanceof Error ? `${cause.name}: ${cause.message}` : undefined;
      return [{ app: { code, details, stack, cause: words } }, []];
    }
    const [plain, transferred] = plainThrow.serialize(thrown);
    return [{ plain }, transferred];
  },
  deserialize: (wire) => {
    if ('plain' in wire) return plainThrow.deserialize(wire.plain);
    const { code, details, stack, cause } = wire.app;
    const error = new AppError(code, details, cause);
    if (stack !== undefined) error.stack = stack;
    throw error;
  },
};

transferHandlers.set('AbortSignal', signalHandler);
transferHandlers.set('throw', throwHandler);
