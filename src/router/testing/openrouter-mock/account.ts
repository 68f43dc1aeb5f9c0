// An account of the mock: its keys, its requests of the minute and the day, and what `/key` tells of them (late, as the real one).
import type { Context } from './behaviour';

const minute = 60_000;
const day = 86_400_000;
const perMinute = 20;

/** What a test may turn, at any time. */
export type AccountSettings = {
  userId: string;
  dayLimit: 50 | 1000;
  /** Whether a request over the limit counts, and one that an upstream pool refused. */
  countsRefused: boolean;
  /** How long a request stays unseen by `/key`, in ms. */
  keyLagMs: number;
  /** Whether `/key` tells of the free requests; older answers did not. */
  tellsFreeRequests: boolean;
  /** Whether `/credits` answers an ordinary key. */
  tellsCredits: boolean;
  /** Ids that the account's privacy settings hide from `/models/user`. */
  hiddenModels: readonly string[];
  /** Whether there are limits at all: 100 streams at once are more than 20 a minute. */
  isUnlimited: boolean;
};

export type Account = AccountSettings & {
  /** Counts a request and says which limit it breaks, if any. */
  admit(now: number): 'E17-day' | 'E18-day-high-balance' | 'E19-minute' | undefined;
  /** Takes back the last request: a pool refused it and refusals do not count. */
  forgive(): void;
  /** Adds `count` earlier requests of today. */
  spend(count: number, at: number): void;
  /** How many requests of today `/key` tells of. */
  usedToday(now: number): number;
};

export function createAccount(settings: Partial<AccountSettings> = {}): Account {
  let counted: number[] = []; // when each request was made, ms
  const today = (now: number) => counted.filter((at) => Math.floor(at / day) === Math.floor(now / day));
  const account: Account = {
    userId: 'user_2mockAccount0000000000000',
    dayLimit: 50,
    countsRefused: false,
    keyLagMs: 0,
    tellsFreeRequests: true,
    tellsCredits: true,
    hiddenModels: [],
    isUnlimited: false,
    ...settings,
    admit(now) {
      const inMinute = counted.filter((at) => Math.floor(at / minute) === Math.floor(now / minute)).length;
      const isDayFull = today(now).length >= account.dayLimit;
      const isRefused = !account.isUnlimited && (isDayFull || inMinute >= perMinute);
      if (!isRefused || account.countsRefused) counted.push(now);
      if (!isRefused) return undefined;
      if (!isDayFull) return 'E19-minute';
      return account.dayLimit === 50 ? 'E17-day' : 'E18-day-high-balance';
    },
    forgive() {
      if (!account.countsRefused) counted.pop();
    },
    spend(count, at) {
      counted = [...counted, ...Array.from({ length: count }, () => at)];
    },
    usedToday: (now) => today(now).filter((at) => at <= now - account.keyLagMs).length,
  };
  return account;
}

/** The body of `GET /key`. */
export function keyBody(key: string, account: Account, now: number) {
  const used = account.usedToday(now);
  return {
    data: {
      label: `${key.slice(0, 12)}...${key.slice(-3)}`,
      limit: null,
      limit_remaining: null,
      limit_reset: null,
      include_byok_in_limit: false,
      usage: 0,
      usage_daily: 0,
      usage_weekly: 0,
      usage_monthly: 0,
      byok_usage: 0,
      byok_usage_daily: 0,
      byok_usage_weekly: 0,
      byok_usage_monthly: 0,
      is_free_tier: account.dayLimit === 50,
      is_management_key: false,
      is_provisioning_key: false,
      ...(account.tellsFreeRequests && {
        free_model_daily_requests: {
          used,
          limit: account.dayLimit,
          remaining: Math.max(0, account.dayLimit - used),
        },
      }),
      rate_limit: {
        requests: -1,
        interval: '10s',
        note: 'This field is deprecated and safe to ignore.',
      },
      allowed_data_regions: ['global'],
      expires_at: null,
      organization_id: null,
      creator_user_id: account.userId,
      workspace_id: '00000000-0000-0000-0000-000000000000',
    },
  };
}

/** What error bodies quote of an account. */
export function contextOf(account: Account, model: string, now: number): Context {
  return { model, now, userId: account.userId, dayLimit: account.dayLimit };
}
