// What OpenRouter says of a model's providers, as the expected success of a model that nobody has asked yet. It leaves rate limits of
// the shared pools out, so it only knows dead models from living ones.
import { z } from 'zod';

const schema = z.object({
  data: z.object({
    endpoints: z.array(
      z.object({
        status: z.number().catch(0), // 0 is well, below is worse
        uptime_last_30m: z.number().nullish().catch(null), // percent
      }),
    ),
  }),
});

const least = 0.1;

/** Expected success (0.1 to 0.95) by a `GET /models/…/endpoints` answer: that of the best provider; undefined where it is unreadable. */
export function endpointPrior(body: unknown): number | undefined {
  const endpoints = schema.safeParse(body).data?.data.endpoints;
  if (!endpoints) return undefined;
  const scores = endpoints.map(({ status, uptime_last_30m }) =>
    status <= -5 ? least : ((status < 0 ? 0.5 : 0.95) * (uptime_last_30m ?? 100)) / 100,
  );
  return Math.max(least, ...scores);
}
