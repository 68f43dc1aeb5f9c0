import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fetchFrom, files, gated, hidden, open, sha256, startTestHub, unet } from '../testing/hub-repos';
import type { Fault, Hub, HubRepo } from '../testing/hub-server';
import { createHubFetch, hubOrigin } from './hub-fetch';
import { findHubModel, openHubFile, readHubFile } from './hub-model';

let hub: Hub;
let waited: number[]; // seconds

beforeEach(async () => {
  hub = await startTestHub();
  waited = [];
});
afterEach(() => hub.close());

const wait = async (ms: number) => void waited.push(ms / 1000);
const hubFetch = (model: string, token?: string) =>
  createHubFetch({ model, token, fetch: fetchFrom(() => hub), signal: new AbortController().signal, wait });
const unetHash = sha256(files.get(unet)!);
/** Ranges that were asked of the UNet's file. */
const asked = () =>
  hub.requests.filter(({ path }) => path.includes('/cdn/') && path.endsWith(unet)).map(({ range }) => range);

describe('a model on the hub', () => {
  test('is found at a commit, with every file’s size and hash', async () => {
    const model = await findHubModel({ id: open.id, revision: 'main' }, hubFetch(open.id));
    expect(model).toMatchObject({ id: open.id, license: 'openrail', isGated: false });
    expect(model.commit).toMatch(/^[0-9a-f]{40}$/);
    expect(model.files.map(({ path }) => path)).toEqual([...files.keys()]); // of both pages
    expect(model.files.find(({ path }) => path === unet)).toMatchObject({
      sizeBytes: 300_000,
      sha256: unetHash,
    });
    expect(model.files[1]!.sha256).toBeUndefined();
  });

  test('a small file is checked by git’s hash', async () => {
    const fetch = hubFetch(open.id);
    const model = await findHubModel({ id: open.id, revision: 'main' }, fetch);
    const config = model.files.find(({ path }) => path === 'unet/config.json')!;
    expect(await readHubFile(model, config, fetch)).toEqual(files.get('unet/config.json'));
    for (const [fault, reason] of [
      [{ kind: 'wrong' }, 'hash'],
      [{ kind: 'long' }, 'size'],
    ] as const) {
      hub.fail(config.path, fault);
      await expect(readHubFile(model, config, fetch)).rejects.toMatchObject({
        code: 'hub-wrong-file',
        details: { model: open.id, file: config.path, reason },
      });
    }
  });

  test('of a large file only the bytes that are asked for travel', async () => {
    const fetch = hubFetch(open.id);
    const model = await findHubModel({ id: open.id, revision: 'main' }, fetch);
    const file = model.files.find(({ path }) => path === unet)!;
    const blob = await openHubFile(model, file, fetch);
    expect(blob.size).toBe(300_000);
    const part = new Uint8Array(await blob.slice(8, 60).arrayBuffer());
    expect(part).toEqual(files.get(unet)!.slice(8, 60));
    expect(asked()).toEqual(['bytes=8-59']);
    hub.fail(unet, { kind: 'no-ranges' });
    await expect(blob.slice(8, 60).arrayBuffer()).rejects.toMatchObject({ code: 'hub-wrong-file' });
  });
});

describe('answers of the hub', () => {
  test.each<[string, Readonly<Record<string, string>>, number[]]>([
    ['seconds', { 'Retry-After': '7' }, [7, 7]],
    [
      'a date',
      { Date: 'Wed, 21 Oct 2026 07:28:00 GMT', 'Retry-After': 'Wed, 21 Oct 2026 07:28:30 GMT' },
      [30, 30],
    ],
    ['nothing', {}, [1, 2]],
  ])('429 is waited out as it says: %s', async (_, headers, seconds) => {
    hub.fail('api', { kind: 'status', status: 429, headers }, { kind: 'status', status: 429, headers });
    await findHubModel({ id: open.id, revision: 'main' }, hubFetch(open.id));
    expect(waited).toEqual(seconds);
  });

  test('a long Retry-After is told instead of waited', async () => {
    hub.fail('api', { kind: 'status', status: 429, headers: { 'Retry-After': '900' } });
    await expect(findHubModel({ id: open.id, revision: 'main' }, hubFetch(open.id))).rejects.toMatchObject({
      code: 'hub-busy',
      details: { model: open.id, status: 429, retryAfterSeconds: 900 },
    });
    expect(waited).toEqual([]);
  });

  test('no network: tried five more times', async () => {
    const fetch = createHubFetch({
      model: open.id,
      fetch: () => Promise.reject(new TypeError('fetch failed')),
      signal: new AbortController().signal,
      wait,
    });
    await expect(findHubModel({ id: open.id, revision: 'main' }, fetch)).rejects.toMatchObject({
      code: 'hub-unreachable',
    });
    expect(waited).toEqual([1, 2, 4, 8, 16]);
  });

  test.each<[string, Fault, string]>([
    ['a page', { kind: 'page' }, 'hub-unreachable'],
    ['404', { kind: 'status', status: 404 }, 'hub-missing'],
  ])('an API that answers %s', async (_, fault, code) => {
    hub.fail('api', fault);
    await expect(findHubModel({ id: open.id, revision: 'main' }, hubFetch(open.id))).rejects.toMatchObject({
      code,
      details: { model: open.id },
    });
  });

  test('a revision that is not there', async () => {
    await expect(findHubModel({ id: open.id, revision: 'v9' }, hubFetch(open.id))).rejects.toMatchObject({
      code: 'hub-missing',
    });
  });
});

test.each([
  [`${hubOrigin}/api/models/maker/open`, 'Bearer hf_canary'],
  ['https://cas-bridge.xethub.hf.co/file', null],
  ['https://huggingface.co.example.org/file', null],
  ['http://huggingface.co/file', null],
])('the token for %s is %s, whoever named the address', async (address, authorization) => {
  const sent: (string | null)[] = [];
  const fetch = createHubFetch({
    model: open.id,
    token: 'hf_canary',
    fetch: async (request) => {
      sent.push(new Request(request).headers.get('Authorization'));
      return new Response();
    },
    signal: new AbortController().signal,
  });
  await fetch(address);
  expect(sent).toEqual([authorization]);
});

describe('a token that does not open it', () => {
  test.each<[string, HubRepo, string | undefined, object]>([
    ['none, gated', gated, undefined, { code: 'hub-gated', details: { hasToken: false } }],
    ['another, gated', gated, 'hf_other', { code: 'hub-gated', details: { hasToken: true } }],
    ['none, private', hidden, undefined, { code: 'hub-sign-in', details: { hasToken: false } }],
    ['another, private', hidden, 'hf_other', { code: 'hub-missing', details: {} }],
    ['no token at all', open, 'two words\n', { code: 'hub-sign-in', details: { hasToken: true } }],
  ])('%s', async (_, repo, who, error) => {
    const reach = async () => {
      const fetch = hubFetch(repo.id, who);
      const model = await findHubModel({ id: repo.id, revision: 'main' }, fetch);
      await readHubFile(model, model.files[0]!, fetch);
    };
    const failure: unknown = await reach().catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject(error);
    if (who !== undefined) expect(JSON.stringify([failure, String(failure)])).not.toContain(who);
  });
});
