// A router and the mock of OpenRouter behind a page's fetch, on one virtual clock: what nearly every test of the router starts from.
import { expect } from 'vitest';
import { assert } from '../../base/assert';
import { counterUniform } from '../../base/random';
import type { RouterInit } from '../page-hooks';
import { createRouter, type Router, type RouterOptions } from '../router';
import { readAnswer, type CheckedAnswer } from './checked-answer';

import type { AccountSettings } from './openrouter-mock/account';
import { createBrowserFetch } from './openrouter-mock/browser-fetch';
import { createOpenRouterMock, type OpenRouterMock } from './openrouter-mock/mock';
import { createMemoryStore } from './scripted-upstream';
import { upstreamBreaches } from './upstream-rules';
import { createVirtualClock, type VirtualClock } from './virtual-clock';

const upstream = 'https://mock.invalid/api/v1';
/** When every lab begins, in ms since 1970. */
export const noon = Date.UTC(2026, 10, 25, 12);

export type RouterLab = {
  readonly clock: VirtualClock;
  readonly mock: OpenRouterMock;
  readonly router: Router;
  /** The person's key; a test may change it. */
  key: string | undefined;
  /** Sends a chat request and checks the answer; `body` is added to a plain question to `free`. */
  readonly ask: (body?: object, init?: RouterInit) => Promise<CheckedAnswer>;
  /** The same, unread. */
  readonly send: (body?: object, init?: RouterInit) => Promise<Response>;
  /** Models of the calls that the mock has seen since the last look. */
  newCalls(): readonly string[];
  /** Fails where any request broke a rule of upstream, or a text tells the key or the account. */
  check(...texts: readonly string[]): void;
};

export type LabOptions = {
  readonly account?: Partial<AccountSettings>;
  readonly seed?: number;
  /** Whether time runs on by itself when all is at rest (default); else only by `clock.advance`. */
  readonly isEager?: boolean;
  readonly router?: Partial<RouterOptions>;
};

const plainQuestion = { model: 'free', messages: [{ role: 'user', content: 'Say hello.' }] };

/** A fresh lab at noon of a day. */
export function openLab({
  account = {},
  seed = 1,
  isEager = true,
  router: options = {},
}: LabOptions = {}): RouterLab {
  const clock = createVirtualClock(noon, { isEager });
  const mock = createOpenRouterMock({ clock, account });
  let drawn = 0;
  let seen = 0;
  const router = createRouter({
    fetch: createBrowserFetch(mock.handle),
    upstream,
    apiKey: () => lab.key,
    now: clock.now,
    random: () => counterUniform(seed, 'order', drawn++),
    sleep: clock.sleep,
    store: createMemoryStore(),
    title: 'Likeness',
    referer: 'https://likeness.invalid/',
    ...options,
  });
  const lab: RouterLab = {
    clock,
    mock,
    router,
    key: mock.firstKey,
    send: (body = {}, init = {}) =>
      router.fetch('https://router.invalid/v1/chat/completions', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Authorization: 'Bearer anything' },
        body: JSON.stringify({ ...plainQuestion, ...body }),
        ...init,
      }),
    async ask(body = {}, init = {}) {
      const { stream_options: options } = body as { stream_options?: { include_usage?: boolean } };
      const answer = await readAnswer(await lab.send(body, init), options?.include_usage === true);
      lab.check(answer.text, JSON.stringify([...answer.headers]));
      return answer;
    },
    newCalls() {
      const calls = mock.calls.slice(seen).map(({ model }) => model);
      seen = mock.calls.length;
      return calls;
    },
    check(...texts) {
      expect(upstreamBreaches(mock, clock.now())).toEqual([]);
      const secrets = [mock.firstKey, mock.account.userId, 'sk-or-', 'user_2'];
      for (const text of [...texts, JSON.stringify(router.status.get())]) {
        for (const secret of secrets) assert(!text.includes(secret), `${secret} in ${text.slice(0, 1000)}`);
      }
    },
  };
  return lab;
}
