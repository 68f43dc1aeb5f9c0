// Asks the page of the engine's tests, built and served by serve-page.ts, to run a scenario.
import type { Page } from '@playwright/test';
import type { Scenarios } from './scenarios';
import type { AskWorker } from './page';

/** Runs a scenario in a fresh worker of the page; throws what went wrong there. */
export async function ask<T extends Scenarios, Name extends keyof T & string>(
  page: Page,
  worker: 'runtime' | 'training' | 'memory',
  scenario: Name,
  input: Parameters<T[Name]>[0],
): Promise<Awaited<ReturnType<T[Name]>>> {
  const answer = await page.evaluate(
    ([name, question]) => (window as unknown as { askWorker: AskWorker }).askWorker(name, question),
    [worker, { scenario, input: input }] as const,
  );
  if ('failure' in answer) throw new Error(answer.failure);
  return answer.value as Awaited<ReturnType<T[Name]>>;
}
