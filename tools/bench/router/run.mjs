// `npm run bench:router`: the router against the ways that are usual, on a virtual clock, and the time that it adds to a request and to
// a chunk on the real one. Exits with 1 where a goal is missed.
import { runnerImport } from 'vite';
import { measureOverhead } from './overhead.mjs';
import { createRandom } from '../../sample-subject/random.mjs';
import { createPools, createUpstreamFetch, draw } from './pools.mjs';

const modelCount = 17;
const requestCount = Number(process.env.REQUESTS ?? 10_000);
const meanGap = Number(process.env.GAP_MS ?? 6000); // between two requests, by chance
const seed = Number(process.env.SEED ?? 1);
const maxAttempts = 4;

const root = new URL('../../../src/router/', import.meta.url).pathname;
const { module: router } = await runnerImport(`${root}router.ts`);
const { module: clocks } = await runnerImport(`${root}testing/virtual-clock.ts`);

/** Runs `answer(request)` for every request at its time; `answer` tells success, time to the first token and attempts. */
async function simulate(clock, answer) {
  const random = createRandom(seed + 1);
  const results = [];
  const running = [];
  await clock.run(
    (async () => {
      for (let i = 0; i < requestCount; i++) {
        running.push(answer(i).then((result) => results.push(result)));
        await clock.sleep(-meanGap * Math.log(1 - random()));
      }
      await Promise.all(running);
    })(),
  );
  return results;
}

function createWorld() {
  const clock = clocks.createVirtualClock();
  return {
    clock,
    random: createRandom(seed + 2),
    pools: createPools(modelCount, clock.now(), createRandom(seed)),
  };
}

/** Counts requests by model against the fair share of each: 1 / models that may be asked at that moment. */
function createLoad() {
  const counts = new Map();
  const fair = new Map();
  const add = (map, id, amount) => map.set(id, (map.get(id) ?? 0) + amount);
  return {
    note(id, awake) {
      add(counts, id, 1);
      for (const one of awake) add(fair, one, 1 / awake.length);
    },
    worst: () => Math.max(...[...counts].map(([id, count]) => count / (fair.get(id) ?? 1e-9))),
  };
}

/** A store without limits: the account's record is always new. */
function createStore() {
  const values = new Map();
  return {
    get: async (key) => (key.startsWith('account:') ? undefined : values.get(key)),
    async update(key, change) {
      const value = change(key.startsWith('account:') ? undefined : values.get(key));
      values.set(key, value);
      return value;
    },
  };
}

async function runRouter() {
  const { clock, random, pools } = createWorld();
  const load = createLoad();
  let attempts = 0;
  const { createRouter } = router;
  const chance = createRandom(seed + 3);
  const made = createRouter({
    upstream: 'https://upstream.test/api/v1',
    apiKey: () => 'sk-or-v1-bench',
    now: clock.now,
    sleep: clock.sleep,
    random: chance,
    store: createStore(),
    fetch: createUpstreamFetch(pools, clock, random, ({ id }) => {
      attempts++;
      const models = made.status.get().models;
      load.note(
        id,
        models.filter(({ coolDown }) => (coolDown?.until ?? 0) <= clock.now()).map((model) => model.id),
      );
    }),
  });
  await clock.run(made.refresh());
  const results = await simulate(clock, async (i) => {
    const start = clock.now();
    const response = await made.fetch('https://router.invalid/v1/chat/completions', {
      method: 'POST',
      body: JSON.stringify({ model: 'free', stream: true, messages: [{ role: 'user', content: `${i}` }] }),
    });
    const firstToken = clock.now() - start;
    const text = await response.text();
    return { isGood: response.ok && text.endsWith('data: [DONE]\n\n'), firstToken };
  });
  return { results, attempts, load };
}

/** A way without memory: `order(pools)` gives the models of a request, `limit` how many of them are asked. */
async function runSimple(limit, order) {
  const { clock, random, pools } = createWorld();
  const load = createLoad();
  const chance = createRandom(seed + 3);
  const ids = pools.map(({ id }) => id);
  let attempts = 0;
  const results = await simulate(clock, async () => {
    const start = clock.now();
    for (const pool of order(pools, chance).slice(0, limit)) {
      attempts++;
      load.note(pool.id, ids);
      const { kind, firstToken, end } = draw(pool, clock.now(), random);
      await clock.sleep(firstToken);
      const shown = clock.now() - start;
      if (kind === 'refused' || kind === 'empty') continue;
      await clock.sleep(end - firstToken);
      return { isGood: kind === 'good', firstToken: shown };
    }
    return { isGood: false, firstToken: NaN };
  });
  return { results, attempts, load };
}

function shuffle(pools, random) {
  return pools
    .map((pool) => [random(), pool])
    .sort((a, b) => a[0] - b[0])
    .map(([, pool]) => pool);
}

function summary({ results, attempts, load }) {
  const good = results.filter(({ isGood }) => isGood);
  const times = good.map(({ firstToken }) => firstToken).sort((a, b) => a - b);
  const quantile = (share) => times[Math.floor(share * (times.length - 1))] / 1000;
  return {
    success: good.length / results.length,
    attempts: attempts / good.length,
    p50: quantile(0.5),
    p95: quantile(0.95),
    load: load.worst(),
  };
}

const ways = {
  router: summary(await runRouter()),
  'uniform random, 4 attempts': summary(await runSimple(maxAttempts, shuffle)),
  'openrouter/free, 1 pick': summary(await runSimple(1, shuffle)),
  'fixed order, 4 attempts': summary(await runSimple(maxAttempts, (pools) => pools)),
};

console.log(`${requestCount} requests, one in ${meanGap} ms, ${modelCount} models, seed ${seed}`);
console.log(
  'way                          success  attempts/success  first token p50    p95  worst load / fair share',
);
for (const [name, { success, attempts, p50, p95, load }] of Object.entries(ways)) {
  const cells = [
    `${(success * 100).toFixed(2)} %`.padStart(9),
    attempts.toFixed(3).padStart(17),
    `${p50.toFixed(2)} s`.padStart(16),
    `${p95.toFixed(2)} s`.padStart(7),
    load.toFixed(2).padStart(9),
  ];
  console.log(name.padEnd(27) + cells.join(' '));
}

const overhead = await measureOverhead(router.createRouter);
console.log(`overhead: ${overhead.request.toFixed(3)} ms a request, ${overhead.chunk.toFixed(4)} ms a chunk`);

const { router: own, ...others } = ways;
const goals = {
  'highest success': Object.values(others).every(({ success }) => own.success > success),
  'at most 1.3 attempts a success': own.attempts <= 1.3,
  'no model over twice its fair share': own.load <= 2,
  'at most 1 ms a request': overhead.request <= 1,
  'at most 0.2 ms a chunk': overhead.chunk <= 0.2,
};
for (const [goal, isMet] of Object.entries(goals)) console.log(`${isMet ? 'met   ' : 'MISSED'} ${goal}`);
process.exitCode = Object.values(goals).every(Boolean) ? 0 : 1;
