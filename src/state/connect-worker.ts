// A worker as a place that can die: a script that does not load and an error that nobody caught both end every call to it.
import { AppError } from '../base/errors';

/** Rejects with AppError('engine-failed') when the worker fails to load or throws outside a call; never resolves. */
export function watchDeath(worker: Pick<Worker, 'addEventListener'>): Promise<never> {
  const died = new Promise<never>((_, reject) => {
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      reject(new AppError('engine-failed', { reason: event.message || 'the worker could not be loaded' }));
    });
    worker.addEventListener('messageerror', () => {
      reject(new AppError('engine-failed', { reason: 'a message could not be read' }));
    });
  });
  died.catch(() => {}); // every call races it; between calls nobody listens
  return died;
}
