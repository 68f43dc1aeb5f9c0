// What was seen of each model: moving averages of success, time to the first token and speed, and cool-downs after failures.
// Only requests that a person made are looked at; nothing is probed.
import { rules, type Failure } from './failure';

/** Cool-downs of a model that goes on failing, in ms. */
const coolDownLadder = [30_000, 60_000, 300_000, 900_000] as const;

/** Failures without a cool-down of their own (empty, cut off) that in a row bring one. */
const faultsToCoolDown = 3;

/** Of a model that nobody has asked yet. */
const priorSuccess = 0.9;
const priorFirstTokenMs = 3000;
const priorTokensPerSecond = 40;

/** Of the weight, for each cool-down since the last success: a pool that was empty a minute ago is likely still empty. */
const strikeFactor = 0.1;

/** Least weight: a model that was bad is sampled again. */
const floor = 0.05;

const successShare = 0.15; // of the newest value in a moving average
const speedShare = 0.3;

type ModelHealth = {
  success: number; // 0 to 1
  samples: number;
  hasPrior: boolean; // the endpoint list was asked
  firstTokenMs: number | undefined;
  tokensPerSecond: number | undefined;
  strikes: number; // cool-downs since the last success
  faults: number; // failures since the last success
  coolUntil: number; // ms since 1970
  coolCause: string;
};

export type Health = {
  of(id: string): Readonly<ModelHealth>;
  isCooling(id: string): boolean;
  /** Expected success from the endpoint list (0 to 1; undefined: unknown), for a model without samples. */
  setPrior(id: string, success: number | undefined): void;
  firstToken(id: string, ms: number): void;
  /** An answer ended well. `tokens` in `ms` after its first. */
  succeeded(id: string, tokens: number, ms: number): void;
  failed(id: string, failure: Failure): void;
  /** Weight for the choice, in (0, 1]: success, speed, and caution after a cool-down. */
  weight(id: string, isFast: boolean): number;
  /** The rest of the cool-down plus the expected time to the first token, in ms. */
  expectedWaitMs(id: string): number;
};

/** Health of all models, in memory. `now` in ms since 1970. */
export function createHealth(now: () => number): Health {
  const all = new Map<string, ModelHealth>();

  function of(id: string): ModelHealth {
    const known = all.get(id);
    if (known) return known;
    const fresh: ModelHealth = {
      success: priorSuccess,
      samples: 0,
      hasPrior: false,
      firstTokenMs: undefined,
      tokensPerSecond: undefined,
      strikes: 0,
      faults: 0,
      coolUntil: 0,
      coolCause: '',
    };
    all.set(id, fresh);
    return fresh;
  }

  function sample(health: ModelHealth, success: 0 | 1): void {
    health.success += successShare * (success - health.success);
    health.samples++;
  }

  return {
    of,
    isCooling: (id) => of(id).coolUntil > now(),
    setPrior(id, success) {
      const health = of(id);
      health.hasPrior = true;
      if (health.samples === 0) health.success = success ?? health.success;
    },
    firstToken(id, ms) {
      const health = of(id);
      health.firstTokenMs = blend(health.firstTokenMs, ms);
    },
    succeeded(id, tokens, ms) {
      const health = of(id);
      sample(health, 1);
      health.strikes = 0;
      health.faults = 0;
      health.coolUntil = 0;
      if (ms >= 100 && tokens >= 5)
        health.tokensPerSecond = blend(health.tokensPerSecond, tokens / (ms / 1000));
    },
    failed(id, failure) {
      const { model } = rules[failure.kind];
      if (model === 'blameless') return;
      const health = of(id);
      sample(health, 0);
      health.faults++;
      if (model === 'fault' && health.faults < faultsToCoolDown) return;
      const last = coolDownLadder.length - 1;
      const step = model === 'until-listed' ? last : Math.min(health.strikes, last);
      // Another request that failed at the same time is no second strike.
      if (health.coolUntil <= now()) health.strikes++;
      const ms = Math.min(Math.max(coolDownLadder[step]!, failure.waitMs ?? 0), coolDownLadder[last]!);
      health.coolUntil = Math.max(health.coolUntil, now() + ms);
      health.coolCause = failure.kind;
    },
    weight(id, isFast) {
      const { success, strikes, firstTokenMs, tokensPerSecond } = of(id);
      const start = priorFirstTokenMs / (priorFirstTokenMs + (firstTokenMs ?? priorFirstTokenMs)); // 1/2 at the prior
      const pace = tokensPerSecond ?? priorTokensPerSecond;
      const speed = start + pace / (pace + priorTokensPerSecond); // 0 to 2, 1 at the prior
      const tempo = isFast ? speed ** 3 / 8 : 0.5 + speed / 4; // 0.5 to 1: everyone's share stays near the fair one
      return Math.max(floor, success * tempo * strikeFactor ** strikes);
    },
    expectedWaitMs(id) {
      const { coolUntil, firstTokenMs } = of(id);
      return Math.max(0, coolUntil - now()) + (firstTokenMs ?? priorFirstTokenMs);
    },
  };
}

function blend(average: number | undefined, value: number): number {
  return average === undefined ? value : average + speedShare * (value - average);
}
