// What is known of one account, kept per hash of its key and shared between tabs: requests of the last minute and of today, and stops.
// Pure functions over the record; account.ts puts them in transactions.
import { z } from 'zod';
import { AttemptError, type Failure } from './failure';
import type { QuotaStatus, Stop } from './status';

/** OpenRouter allows 20 a minute; two are left for what another program of the person sends. */
const minuteLimit = 18;
const minuteMs = 60_000;
const dayMs = 86_400_000;
const freeDayLimit = 50; // until told otherwise

export const accountSchema = z.object({
  version: z.literal(1),
  sentAt: z.array(z.number()), // ms since 1970, of the last minute
  minuteUntil: z.number(), // ms since 1970: no request before it
  day: z.number(), // ms since 1970: the midnight that began the day of the three counts
  sent: z.number(),
  answered: z.number(),
  reported: z.number(), // used today, as /key last said
  limit: z.number(),
  dayStop: z.object({ until: z.number(), message: z.string() }).nullable(),
  keyStop: z
    .object({ kind: z.enum(['key-missing', 'key-invalid', 'credits', 'key-limit']), message: z.string() })
    .nullable(),
  policyStop: z.object({ message: z.string() }).nullable(),
  policyModels: z.array(z.string()), // that the account's data policy keeps out
});

export type AccountRecord = z.infer<typeof accountSchema>;

export const emptyAccount: AccountRecord = {
  version: 1,
  sentAt: [],
  minuteUntil: 0,
  day: 0,
  sent: 0,
  answered: 0,
  reported: 0,
  limit: freeDayLimit,
  dayStop: null,
  keyStop: null,
  policyStop: null,
  policyModels: [],
};

const midnightBefore = (now: number) => now - (now % dayMs);

/** The next reset of the daily count: midnight in UTC. */
function nextMidnight(now: number): number {
  return midnightBefore(now) + dayMs;
}

/** The record with yesterday's counts and what has ended left out. Every change starts from it. */
export function current(record: AccountRecord, now: number): AccountRecord {
  const isToday = record.day === midnightBefore(now);
  return {
    ...record,
    ...(!isToday && { day: midnightBefore(now), sent: 0, answered: 0, reported: 0 }),
    sentAt: record.sentAt.filter((at) => at > now - minuteMs && at <= now),
    minuteUntil: record.minuteUntil > now ? record.minuteUntil : 0,
    dayStop: record.dayStop && record.dayStop.until > now ? record.dayStop : null,
  };
}

/** When the next request may go: `now`, or the end of the wait for the account's minute. Of a current record. */
export function freeAt({ sentAt, minuteUntil }: AccountRecord, now: number): number {
  const oldest = sentAt.length >= minuteLimit ? (sentAt[sentAt.length - minuteLimit] ?? 0) + minuteMs : 0;
  return Math.max(now, minuteUntil, oldest);
}

/** The record after `failure` of `model`. `isOnlyModel`: there is no other that the data policy might let through. */
export function withFailure(
  record: AccountRecord,
  failure: Failure,
  model: string,
  isOnlyModel: boolean,
  now: number,
): AccountRecord {
  const { kind, message, resetAt, waitMs, limit } = failure;
  switch (kind) {
    case 'key-missing':
    case 'key-invalid':
    case 'credits':
    case 'key-limit':
      return { ...record, keyStop: { kind, message } };
    case 'day': {
      const isSoon = resetAt !== undefined && resetAt > now && resetAt <= now + dayMs;
      const until = isSoon ? resetAt : nextMidnight(now); // a clock that is wrong must not stop us for long
      return { ...record, limit: limit ?? record.limit, dayStop: { until, message } };
    }
    case 'minute':
    case 'in-flight': {
      const wait = resetAt !== undefined ? resetAt - now : (waitMs ?? minuteMs);
      return { ...record, minuteUntil: now + Math.min(Math.max(wait, 1000), minuteMs) };
    }
    case 'data-policy': {
      const policyModels = [...new Set([...record.policyModels, model])];
      const isAccount = isOnlyModel || policyModels.length >= 2;
      return { ...record, policyModels, policyStop: isAccount ? { message } : record.policyStop };
    }
    default:
      return record;
  }
}

/** The record after a `/key` answer; a remainder of 0 is a stop. */
export function withKeyFacts(record: AccountRecord, facts: KeyFacts, now: number): AccountRecord {
  const daily = facts.free_model_daily_requests;
  if (!daily) return record;
  const isSpent = daily.remaining === 0;
  const message = `Today's ${daily.limit} free requests are used up.`;
  return {
    ...record,
    reported: daily.used,
    limit: daily.limit,
    dayStop: isSpent ? (record.dayStop ?? { until: nextMidnight(now), message }) : record.dayStop,
  };
}

/** The record after "try again". */
export function withoutStops(record: AccountRecord): AccountRecord {
  return { ...record, minuteUntil: 0, dayStop: null, keyStop: null, policyStop: null, policyModels: [] };
}

const keyFactsSchema = z.object({
  data: z.object({
    free_model_daily_requests: z
      .object({ used: z.number(), limit: z.number(), remaining: z.number() })
      .nullish()
      .catch(null),
  }),
});

export type KeyFacts = z.infer<typeof keyFactsSchema>['data'];

/** The facts of a `GET /key` answer; older answers lack the daily count. Throws where it is something else. */
export function parseKeyFacts(body: unknown): KeyFacts {
  return keyFactsSchema.parse(body).data;
}

/** The failure that a stop stands for, or undefined where requests may go. Of a current record; the minute is a wait, not a stop. */
export function stopFailure(
  { dayStop, keyStop, policyStop }: AccountRecord,
  now: number,
): AttemptError | undefined {
  const none = { status: 0, resetAt: undefined, limit: undefined, upstream: {}, waitMs: undefined };
  if (keyStop) return new AttemptError({ ...none, ...keyStop });
  if (dayStop)
    return new AttemptError({ ...none, kind: 'day', message: dayStop.message, waitMs: dayStop.until - now });
  return policyStop
    ? new AttemptError({ ...none, kind: 'data-policy', message: policyStop.message })
    : undefined;
}

/** The stops for the page. Of a current record. */
export function stopsOf({ dayStop, keyStop, policyStop, minuteUntil }: AccountRecord): readonly Stop[] {
  return [
    ...(keyStop ? [{ kind: 'key', message: keyStop.message, until: undefined } as const] : []),
    ...(dayStop ? [{ kind: 'day', ...dayStop } as const] : []),
    ...(policyStop ? [{ kind: 'policy', message: policyStop.message, until: undefined } as const] : []),
    ...(minuteUntil > 0
      ? [{ kind: 'minute', message: "The account's minute is full.", until: minuteUntil } as const]
      : []),
  ];
}

/** Today's use as a range: answered requests surely counted, sent ones may have. Of a current record. */
export function quotaOf(
  { sent, answered, reported, limit, sentAt }: AccountRecord,
  now: number,
): QuotaStatus {
  return {
    usedAtLeast: Math.max(answered, reported),
    usedAtMost: Math.max(sent, reported),
    limit,
    resetAt: nextMidnight(now),
    minuteUsed: sentAt.length,
    minuteLimit,
  };
}
