// One request without a second model: embeddings (vectors of two models do not mix) and pictures.
import { z } from 'zod';
import { longestQueue } from '../account';
import { AttemptsFailed } from '../attempts';
import { AttemptError } from '../failure';
import type { Incoming, RouterParts } from '../parts';
import { readJson } from '../upstream';
import { withinTime } from '../watchdog';
import { requestErrorOf, RequestError } from './errors';

/** The longest that one may take, in ms. */
const timeLimit = 120_000;

const costs = z.object({
  usage: z.object({
    cost: z.number().nullish().catch(null),
    is_byok: z.boolean().nullish().catch(null),
    cost_details: z
      .object({ upstream_inference_cost: z.number().nullish().catch(null) })
      .nullish()
      .catch(null),
  }),
});

/** The JSON of the answer, checked to be free. Throws AttemptsFailed; rejects on abort. */
export async function sendOnce(
  { clock, upstream, health, checkCost }: RouterParts,
  { account, key, signal }: Incoming,
  path: '/images' | '/embeddings',
  model: string,
  body: unknown,
): Promise<unknown> {
  const place = await account.admit(longestQueue, signal, () => undefined);
  if ('stop' in place) throw new AttemptsFailed(requestErrorOf(place.stop.failure), 0);
  if ('fullUntil' in place) {
    const retryAfterMs = place.fullUntil - clock.now();
    const words = "The account's minute is full.";
    throw new AttemptsFailed(new RequestError(429, 'rate_limit_exceeded', words, { retryAfterMs }), 0);
  }
  const start = clock.now();
  try {
    const answer = await withinTime(clock, timeLimit, signal, async (limited) =>
      readJson(await upstream.post(path, key, body, limited), clock.now()),
    );
    const { usage } = costs.safeParse(answer).data ?? {};
    if (usage) checkCost(model, usage);
    health.firstToken(model, clock.now() - start);
    health.succeeded(model, 0, 0);
    await account.answered();
    return answer;
  } catch (error) {
    if (!(error instanceof AttemptError)) throw error;
    health.failed(model, error.failure);
    await account.failed(error.failure, model, false);
    throw new AttemptsFailed(requestErrorOf(error.failure), 1);
  }
}
