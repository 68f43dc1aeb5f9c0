// The world of the simulation: free models, each an on/off pool with its own speed, as a `fetch` on a virtual clock.

import { createRandom } from '../../sample-subject/random.mjs';

const minute = 60_000;
/** Of a pool, in ms. */
const meanOn = 10 * minute;
const meanOff = 3 * minute;
/** Shares of requests to a pool that is on. */
const refusedShare = 0.12;
const emptyShare = 0.02;
const droppedShare = 0.01;
/** Spread of the time to the first token around the model's median, in the logarithm. */
const firstTokenSigma = 0.5;

const exponential = (mean, random) => -mean * Math.log(1 - random());
const normal = (random) => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** `count` models from quick to slow (medians of the first token 0.8 to 6 s, 120 to 15 tokens/s), in an order by chance. */
export function createPools(count, start, random) {
  const pools = Array.from({ length: count }, (_, i) => {
    const place = i / (count - 1);
    return {
      id: `author${i}/model-${i}:free`,
      medianFirstToken: 800 * (6000 / 800) ** place,
      tokensPerSecond: 120 * (15 / 120) ** place,
      changes: [start], // when the pool changes: on from the first, off from the second, …
      random: createRandom(Math.floor(random() * 2 ** 32)),
    };
  });
  return pools
    .map((pool) => [random(), pool])
    .sort((a, b) => a[0] - b[0])
    .map(([, pool]) => pool);
}

/** True where the pool takes requests at `time`. */
export function isOn(pool, time) {
  while (pool.changes.at(-1) <= time) {
    const mean = pool.changes.length % 2 === 1 ? meanOn : meanOff;
    pool.changes.push(pool.changes.at(-1) + exponential(mean, pool.random));
  }
  return pool.changes.findLastIndex((at) => at <= time) % 2 === 0;
}

/** What one request to a pool meets: its kind, and in ms when the first token and the end come. */
export function draw(pool, time, random) {
  const [fate, tokens, spread] = [random(), 50 + Math.floor(random() * 350), normal(random)];
  if (!isOn(pool, time) || fate < refusedShare) return { kind: 'refused', firstToken: 300, end: 300, tokens };
  const firstToken = pool.medianFirstToken * Math.exp(firstTokenSigma * spread);
  const end = firstToken + (tokens / pool.tokensPerSecond) * 1000;
  if (fate < refusedShare + emptyShare) return { kind: 'empty', firstToken, end, tokens };
  if (fate < refusedShare + emptyShare + droppedShare) return { kind: 'dropped', firstToken, end, tokens };
  return { kind: 'good', firstToken, end, tokens };
}

/** The entry of a pool in the list of models. */
export function modelEntry({ id }) {
  return {
    id,
    name: id,
    context_length: 65_536,
    architecture: { input_modalities: ['text'], output_modalities: ['text'] },
    pricing: { prompt: '0', completion: '0' },
    supported_parameters: ['max_tokens'],
  };
}

/** OpenRouter over the pools. `onAttempt` hears of each chat before it is answered. */
export function createUpstreamFetch(pools, clock, random, onAttempt) {
  const byId = new Map(pools.map((pool) => [pool.id, pool]));
  return async (url, init) => {
    if (url.endsWith('/models/user') || url.endsWith('/models')) {
      return Response.json({ data: pools.map(modelEntry) });
    }
    if (!url.endsWith('/chat/completions')) return Response.json({ error: { code: 404 } }, { status: 404 });
    const pool = byId.get(JSON.parse(init.body).model);
    onAttempt(pool);
    const fate = draw(pool, clock.now(), random);
    if (fate.kind === 'refused') {
      await clock.sleep(fate.firstToken, init.signal);
      return refusal();
    }
    return new Response(createBody(fate, clock, init.signal), {
      headers: { 'content-type': 'text/event-stream' },
    });
  };
}

function refusal() {
  const metadata = { limit_source: 'upstream_provider_shared_pool' };
  const error = { message: 'Provider returned error', code: 429, metadata };
  return Response.json({ error }, { status: 429 });
}

function createBody({ kind, firstToken, end, tokens }, clock, signal) {
  const encoder = new TextEncoder();
  const event = (delta, finish_reason = null, usage = undefined) =>
    encoder.encode(
      `data: ${JSON.stringify({ id: 'gen-1', choices: [{ delta, finish_reason }], usage })}\n\n`,
    );
  async function* parts() {
    await clock.sleep(firstToken, signal);
    if (kind === 'empty') yield event({ content: '' }, 'stop');
    else {
      yield event({ content: 'word ' });
      await clock.sleep(end - firstToken, signal);
      if (kind === 'dropped') return;
      yield event({ content: 'end' }, 'stop', { completion_tokens: tokens, cost: 0 });
    }
    yield encoder.encode('data: [DONE]\n\n');
  }
  return ReadableStream.from(parts());
}
