// What the page may know of the router: plain data, no keys, no account ids.

export type Capability = 'vision' | 'tools' | 'json' | 'schema' | 'reasoning' | 'image-output';

/** Billions of parameters as a model's name tells them; `active` is that of one token in a mixture of experts. */
export type ParameterCount = { readonly total: number; readonly active: number };

export type ModelStatus = {
  readonly id: string;
  readonly name: string;
  readonly author: string;
  readonly contextLength: number; // tokens
  readonly parameters: ParameterCount | undefined; // undefined: unknown
  readonly capabilities: readonly Capability[];
  readonly expiresAt: number | undefined; // ms since 1970
  readonly success: number; // moving average, 0 to 1; a prior where nothing was measured
  readonly firstTokenMs: number | undefined; // moving averages; undefined until measured
  readonly tokensPerSecond: number | undefined;
  readonly coolDown: { readonly until: number; readonly cause: string } | undefined;
  readonly waitMs: number; // estimate: the rest of the cool-down + expected first token
};

/** A change of the free list; the newest first. */
export type ModelChange = {
  readonly kind: 'new' | 'gone' | 'expiring';
  readonly id: string;
  readonly at: number; // ms since 1970: when it was noticed; of 'expiring': when it ends
};

/** Requests of today, as a range: OpenRouter's own counter lags, and which failures count is not documented. */
export type QuotaStatus = {
  readonly usedAtLeast: number;
  readonly usedAtMost: number;
  readonly limit: number;
  readonly resetAt: number; // ms since 1970: the next midnight of UTC
  readonly minuteUsed: number; // requests of the last 60 s
  readonly minuteLimit: number;
};

type StopKind = 'day' | 'minute' | 'key' | 'policy';

/** Why requests are answered locally. */
export type Stop = {
  readonly kind: StopKind;
  readonly message: string;
  readonly until: number | undefined; // ms since 1970; undefined: until a new key or "try again"
};

/** Something that the person should be told: a model asked for money and is not used any more. */
export type Notice = {
  readonly kind: 'cost';
  readonly model: string;
  readonly at: number; // ms since 1970
  readonly message: string;
};

export type RouterStatus = {
  readonly models: readonly ModelStatus[]; // the eligible ones
  readonly changes: readonly ModelChange[];
  readonly quota: QuotaStatus;
  readonly stops: readonly Stop[];
  readonly notices: readonly Notice[];
  readonly listedAt: number | undefined; // ms since 1970: when the list was fetched
  readonly listFailure: string | undefined; // why the last refresh failed
};
