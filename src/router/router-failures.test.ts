// Every error of OpenRouter that was seen, against the whole router: what the client is told, how many requests it cost, and what the next
// request does.
import { describe, expect, test } from 'vitest';
import type { Behaviour } from './testing/openrouter-mock/behaviour';
import {
  availabilityCases,
  errorCases,
  networkCases,
  type ErrorCase,
} from './testing/openrouter-mock/error-cases';
import { openLab } from './testing/router-lab';

const hour = 3_600_000;

/** hop: another model answers. stop: no further request until a reset, a key or a retry. wait: the same again later. tell: final. */
type Outcome =
  | { readonly then: 'hop' }
  | { readonly then: 'stop' | 'tell'; readonly status: number; readonly code: string }
  | { readonly then: 'wait' };

const hop = { then: 'hop' } as const;
const stop = (status: number, code: string): Outcome => ({ then: 'stop', status, code });
const tell = (status: number, code: string): Outcome => ({ then: 'tell', status, code });

const outcomes: Readonly<Record<ErrorCase, Outcome>> = {
  'E1-cookie': stop(401, 'invalid_api_key'),
  'E1-none': stop(401, 'invalid_api_key'),
  'E1-header': stop(401, 'invalid_api_key'),
  'E2-user': stop(401, 'invalid_api_key'),
  'E3-credits': stop(402, 'insufficient_quota'),
  'E4-key-cap': stop(402, 'insufficient_quota'),
  'E4-older': stop(402, 'insufficient_quota'),
  'E5-in-flight': { then: 'wait' },
  'E6-moderation': tell(403, 'content_policy_violation'),
  'E7-guardrail': tell(403, 'content_policy_violation'),
  'E8-gone': hop,
  'E9-paid-now': hop,
  'E10-training': hop,
  'E10-publication': hop,
  'E10-paid-training': hop,
  'E10-guardrail': hop,
  'E11-tools': hop,
  'E11-tool-choice': hop,
  'E12-parameters': hop,
  'E13-empty-pool': tell(503, 'no_free_model'),
  'E14-bad-id': hop,
  'E15-input': tell(400, 'invalid_request'),
  'E15-json': tell(400, 'invalid_request'),
  'E16-context': hop,
  'E17-day': stop(429, 'insufficient_quota'),
  'E18-day-high-balance': stop(429, 'insufficient_quota'),
  'E19-minute': { then: 'wait' },
  'E20-pool': hop,
  'E20-pool-with-wait': hop,
  'E21-502': hop,
  'E21-503': hop,
  'E21-529': hop,
  'E21-524': hop,
  'E21-408': hop,
  'E21-504': hop,
  'E22-error-in-200': hop,
  'E22-with-choices': hop,
  'E22-exhausted': hop,
  'E23-null': hop,
  'E23-stop': hop,
  'E23-length': hop,
  'E24-server': hop,
  'E25-html-502': hop,
  'E25-html-429': hop,
  'E25-html-403': tell(403, 'upstream_refused'),
  'E25-html-200': hop,
};
const cases = Object.entries(outcomes) as [ErrorCase, Outcome][];

describe.each([{ stream: true }, { stream: false }])('a request with $stream', ({ stream }) => {
  test.each(cases)('%s first', async (name, outcome) => {
    const lab = openLab({ seed: 3 });
    // Of two models the smaller is asked first, so that there is a larger one to go to.
    const small = { authors: ['cassini'], weights: { 'cassini/small-3b:free': 1000 } };
    const body = { stream, ...(name === 'E16-context' && { router: small }) };
    lab.mock.script.next(errorCases[name]);
    const answer = await lab.ask(body);
    const calls = lab.newCalls();
    switch (outcome.then) {
      case 'hop':
        expect([answer.status, answer.content]).toEqual([200, `Hello from ${calls[1]} today.`]);
        expect(new Set(calls).size).toBe(2);
        expect(answer.headers.get('x-router-attempts')).toBe('2');
        expect(answer.headers.get('x-router-model')).toBe(calls[1]);
        break;
      case 'wait':
        expect([answer.status, calls[0] === calls[1], calls.length]).toEqual([200, true, 2]);
        break;
      case 'tell':
      case 'stop':
        expect([answer.status, answer.error?.code, calls.length]).toEqual([outcome.status, outcome.code, 1]);
    }
    const next = await lab.ask({ ...body, messages: [{ role: 'user', content: 'Another question.' }] });
    if (outcome.then === 'stop') {
      expect([next.status, next.error?.code, lab.newCalls()]).toEqual([outcome.status, outcome.code, []]);
    } else expect([next.status, lab.newCalls().length]).toEqual([200, 1]);
  });
});

describe('when every model answers so', () => {
  test.each(cases)('%s: at most four requests, one answer, and the same body costs no more', async (name) => {
    const lab = openLab();
    lab.mock.script.always(errorCases[name]);
    const answer = await lab.ask();
    const calls = lab.newCalls();
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(calls.length).toBeGreaterThanOrEqual(1);
    expect(calls.length).toBeLessThanOrEqual(4);
    const again = await lab.ask();
    const twice = await lab.ask();
    expect(calls.length + lab.newCalls().length).toBeLessThanOrEqual(4);
    expect([again.status, twice.status]).not.toContain(200);
  });
});

describe('a stop', () => {
  const stops = cases.filter(([, { then }]) => then === 'stop').map(([name]) => name);

  test.each(stops)('%s ends with another key, and comes back with the first', async (name) => {
    const lab = openLab();
    const other = 'sk-or-v1-another';
    lab.mock.addKey(other, lab.mock.account);
    lab.mock.script.next(errorCases[name]);
    const refused = await lab.ask();
    lab.key = other;
    expect((await lab.ask({ messages: [{ role: 'user', content: '1' }] })).status).toBe(200);
    lab.key = lab.mock.firstKey;
    const again = await lab.ask({ messages: [{ role: 'user', content: '2' }] });
    expect([again.status, again.error?.code]).toEqual([refused.status, refused.error?.code]);
    expect(lab.newCalls().length).toBe(2);
  });

  test.each(stops)('%s ends when the person tries again', async (name) => {
    const lab = openLab();
    lab.mock.script.next(errorCases[name]);
    await lab.ask();
    expect(lab.router.status.get().stops).toHaveLength(1);
    lab.router.retryStopped();
    expect((await lab.ask({ messages: [{ role: 'user', content: '1' }] })).status).toBe(200);
    expect(lab.router.status.get().stops).toEqual([]);
  });

  test.each(['E17-day', 'E18-day-high-balance'] as const)('%s ends at midnight of UTC', async (name) => {
    const lab = openLab();
    const question = (content: string) => lab.ask({ messages: [{ role: 'user', content }] });
    lab.mock.script.next(errorCases[name]);
    await question('1');
    expect(lab.router.status.get().stops).toMatchObject([{ kind: 'day', until: Date.UTC(2026, 10, 26) }]);
    await lab.clock.advance(12 * hour - 1000);
    expect((await question('2')).status).toBe(429);
    await lab.clock.advance(2000);
    expect((await question('3')).status).toBe(200);
  });

  test('without a key nothing is sent', async () => {
    const lab = openLab();
    lab.key = undefined;
    const answer = await lab.ask();
    expect([answer.status, answer.error?.code, lab.newCalls()]).toEqual([401, 'invalid_api_key', []]);
  });
});

describe('the account’s limits', () => {
  test('the minute is a queue: thirty at once are all answered, none refused upstream', async () => {
    const lab = openLab();
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, i) => lab.ask({ messages: [{ role: 'user', content: `${i}` }] })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 30 }, () => 200));
    expect(lab.mock.calls.map(({ status }) => status)).toEqual(Array.from({ length: 30 }, () => 200));
  });

  test('E19 waits for the next minute and asks the same model again', async () => {
    const lab = openLab();
    await lab.clock.advance(10_000);
    lab.mock.script.next(errorCases['E19-minute']);
    expect((await lab.ask()).status).toBe(200);
    const [first, second] = lab.mock.calls;
    expect(second?.model).toBe(first?.model);
    expect(Math.floor(second!.at / 60_000)).toBe(Math.floor(first!.at / 60_000) + 1);
  });

  test('the day’s own count refuses nothing by itself', async () => {
    const lab = openLab({ account: { dayLimit: 1000, tellsFreeRequests: false } });
    const statuses = new Set<number>();
    for (let i = 0; i < 60; i++) {
      statuses.add((await lab.ask({ messages: [{ role: 'user', content: `${i}` }] })).status);
    }
    expect([...statuses]).toEqual([200]);
  });

  test('the quota shown is the larger of the own count and the account’s', async () => {
    const lab = openLab();
    lab.mock.account.spend(12, lab.clock.now());
    await lab.router.refresh();
    expect(lab.router.status.get().quota).toMatchObject({ limit: 50, resetAt: Date.UTC(2026, 10, 26) });
    expect(lab.router.status.get().quota.usedAtLeast).toBe(12);
    await lab.ask();
    expect(lab.router.status.get().quota).toMatchObject({ usedAtLeast: 12, usedAtMost: 12, minuteUsed: 1 });
  });
});

describe('an exact id', () => {
  const model = 'acme/plain-8b:free';

  test.each(cases.filter(([, { then }]) => then === 'hop').map(([name]) => name))(
    '%s does not hop',
    async (name) => {
      const lab = openLab();
      lab.mock.script.always(errorCases[name], model);
      const answer = await lab.ask({ model });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(new Set(lab.newCalls())).toEqual(new Set([model]));
    },
  );

  test.each([
    'openrouter/free',
    'openrouter/auto',
    'openrouter/zeta-alpha',
    'acme/grand-400b',
    'acme/plain-8b:batch',
    'acme/plain-8b',
    'acme/expired-9b:free',
    'sly/fee-7b:free',
    'google/lyria-3-clip-preview',
    'guardian/guard-content-safety:free',
    'guardian/ocr-fast:free',
    '~acme/latest',
    'no/such:free',
    '../../credits',
    'acme/plain-8b:free/../../key',
    'claude-sonnet-4',
  ])('the id “%s” is never sent', async (id) => {
    const lab = openLab();
    const answer = await lab.ask({ model: id });
    if (id === '')
      expect(answer.status).toBe(200); // no model is any model
    else expect([answer.status, answer.error?.code, lab.newCalls()]).toEqual([404, 'model_not_found', []]);
  });

  test('a name with :online is refused for what it asks', async () => {
    const lab = openLab();
    const answer = await lab.ask({ model: 'acme/plain-8b:free:online' });
    expect([answer.status, answer.error?.param, lab.newCalls()]).toEqual([400, 'model', []]);
  });

  test.each(['gpt-4o-mini', 'chatgpt-4o-latest', 'o1', 'o3-mini', '', undefined])(
    '%s means free',
    async (id) => {
      const lab = openLab();
      const answer = await lab.ask({ model: id });
      expect([answer.status, answer.headers.get('x-router-model')]).toEqual([200, lab.newCalls()[0]]);
    },
  );
});

test('too long for the largest model is too long: no smaller one is asked', async () => {
  const lab = openLab();
  lab.mock.script.next(errorCases['E16-context']);
  const answer = await lab.ask({
    router: { authors: ['cassini'], weights: { 'cassini/long-1t:free': 1000 } },
  });
  expect([answer.status, answer.error?.code, lab.newCalls()]).toEqual([
    400,
    'context_length_exceeded',
    ['cassini/long-1t:free'],
  ]);
});

describe('failures below HTTP', () => {
  test.each(Object.entries(networkCases))('%s hops', async (_, behaviour: Behaviour) => {
    const lab = openLab();
    lab.mock.script.next(behaviour);
    const answer = await lab.ask({ stream: true });
    expect([answer.status, lab.newCalls().length]).toEqual([200, 2]);
    expect(lab.mock.calls[0]?.end).not.toBe('open');
  });

  test('one wall clock for all attempts', async () => {
    const lab = openLab();
    lab.mock.script.always(networkCases.silence);
    const start = lab.clock.now();
    const answer = await lab.ask();
    expect(answer.status).toBeGreaterThanOrEqual(503);
    expect(lab.clock.now() - start).toBeLessThanOrEqual(60_000);
    expect(lab.mock.calls.map(({ end }) => end)).not.toContain('open');
  });
});

describe('availability codes', () => {
  test.each(Object.entries(availabilityCases))(
    '%s never leads to a paid model',
    async (_, behaviour: Behaviour) => {
      const lab = openLab();
      lab.mock.script.next(behaviour);
      const answer = await lab.ask();
      expect([answer.status, lab.newCalls().length]).toEqual([200, 2]);
    },
  );
});

describe('data policy', () => {
  test('all models refuse by policy: one stop for the account, with its fix', async () => {
    const lab = openLab();
    lab.mock.script.always(errorCases['E10-training']);
    const answer = await lab.ask();
    expect([answer.status, answer.error?.code]).toEqual([403, 'data_policy']);
    expect(lab.router.status.get().stops).toMatchObject([{ kind: 'policy', until: undefined }]);
    lab.newCalls();
    expect((await lab.ask({ messages: [{ role: 'user', content: 'x' }] })).status).toBe(403);
    expect(lab.newCalls()).toEqual([]);
  });

  test('a request with its own policy says nothing of the account', async () => {
    const lab = openLab();
    const answer = await lab.ask({ provider: { data_collection: 'deny' } });
    expect([answer.status, answer.error?.code]).toEqual([403, 'data_policy']);
    expect(lab.router.status.get().stops).toEqual([]);
    expect((await lab.ask()).status).toBe(200);
  });
});
