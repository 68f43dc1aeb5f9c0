// The worker's side of a question: the scenario of that name, and what it answers or throws.
import { isAppError } from '../../src/base/errors';
import type { Answer, Question } from './page';

/** Scenarios of a worker; what they take and answer is plain data. */
export type Scenarios = Readonly<Record<string, (input: never) => Promise<unknown>>>;

export function answerWith(scenarios: Scenarios): void {
  self.addEventListener('message', (event: MessageEvent<Question>) => {
    const { scenario, input } = event.data;
    void scenarios[scenario]!(input as never)
      .then((value): Answer => ({ value }))
      .catch((error: unknown): Answer => ({ failure: tell(error) }))
      .then((answer) => self.postMessage(answer));
  });
}

function tell(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : ` because of ${tell(error.cause)}`;
  return `${isAppError(error) ? error.message : error.stack}${cause}`;
}
