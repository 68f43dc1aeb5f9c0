// The page of the engine's browser tests: starts workers as the app does and asks them one thing at a time.
type WorkerName = 'runtime' | 'training' | 'memory';

const workers: Readonly<Record<WorkerName, () => Worker>> = {
  runtime: () => new Worker(new URL('./runtime.worker.ts', import.meta.url), { type: 'module' }),
  training: () => new Worker(new URL('./training.worker.ts', import.meta.url), { type: 'module' }),
  memory: () => new Worker(new URL('./memory.worker.ts', import.meta.url), { type: 'module' }),
};

export type Question = { readonly scenario: string; readonly input: unknown };
export type Answer = { readonly value: unknown } | { readonly failure: string };
export type AskWorker = (name: WorkerName, question: Question) => Promise<Answer>;

const started = new Map<WorkerName, Worker>();

const askWorker: AskWorker = (name, question) =>
  new Promise((resolve, reject) => {
    const worker = started.get(name) ?? workers[name]();
    started.set(name, worker);
    worker.onmessage = (event: MessageEvent<Answer>) => resolve(event.data);
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(question);
  });

Object.assign(window, { askWorker });
