import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { createMemoryDisk } from '../storage/__fixtures__/memory-directory';
import type { BaseModel } from './base-model';
import type { LoadModelEvent } from './contract';
import { loadBaseModel } from './load-model';
import { bundledFolder } from './testing/bundled';

const base = new URL('https://example.org/likeness/');
const folder = 'https://example.org/likeness/models/bundled/';
const paths = [
  'likeness.json',
  'model_index.json',
  'scheduler/scheduler_config.json',
  'text_encoder/config.json',
  'text_encoder/model.safetensors',
  'tokenizer/merges.txt',
  'tokenizer/special_tokens_map.json',
  'tokenizer/tokenizer_config.json',
  'tokenizer/vocab.json',
  'unet/config.json',
  'unet/diffusion_pytorch_model.safetensors',
  'vae/config.json',
  'vae/diffusion_pytorch_model.safetensors',
];
const files = new Map<string, Buffer<ArrayBuffer>>();

beforeAll(async () => {
  for (const path of paths) files.set(path, await readFile(join(bundledFolder, path)));
});

type Answer = () => Response | Promise<Response>;

/** A server with the bundled model, some files of which are answered otherwise. */
function serve(others: Readonly<Record<string, Answer>> = {}) {
  const asked: string[] = [];
  const fetchFile: typeof fetch = async (request) => {
    const url = request instanceof Request ? request.url : String(request);
    expect(url.startsWith(folder)).toBe(true);
    const path = url.slice(folder.length);
    asked.push(path);
    const content = files.get(path);
    return others[path]?.() ?? (content ? new Response(content) : new Response('', { status: 404 }));
  };
  return { fetch: fetchFile, asked };
}

const page: Answer = () =>
  new Response('<!doctype html><title>Likeness</title>', { headers: { 'Content-Type': 'text/html' } });
const inMemory = { root: () => Promise.resolve(undefined) };

async function load(
  source: Parameters<typeof loadBaseModel>[3],
  signal = new AbortController().signal,
): Promise<{ events: LoadModelEvent[]; model: BaseModel }> {
  const job = loadBaseModel('bundled', base, signal, source);
  const events: LoadModelEvent[] = [];
  for (;;) {
    const next = await job.next();
    if (next.done) return { events, model: next.value };
    events.push(next.value);
  }
}

/** A manifest that says something else of `path`, as if its maker had made the file so. */
function manifestWith(path: string, change: Readonly<Record<string, unknown>>): Answer {
  const manifest = JSON.parse(files.get('likeness.json')!.toString()) as { files: { path: string }[] };
  const list = manifest.files.map((file) => (file.path === path ? { ...file, ...change } : file));
  return () => new Response(JSON.stringify({ ...manifest, files: list }));
}

describe('a model on a server', () => {
  test('is loaded with real bytes told on the way, and from storage the second time', async () => {
    const disk = createMemoryDisk();
    const { fetch, asked } = serve();
    const { events, model } = await load({ fetch, root: disk.root });
    expect(model.manifest.name).toBe('Likeness 64');
    expect(asked).toEqual(
      [...paths].sort((a, b) => (a === 'likeness.json' ? -1 : b === 'likeness.json' ? 1 : 0)),
    );
    expect(events[0]).toEqual({ kind: 'stage-start', stage: 'download' });
    expect(events.at(-1)).toEqual({ kind: 'stage-start', stage: 'prepare' });
    const progress = events.flatMap((event) => (event.kind === 'download-progress' ? [event] : []));
    const totalBytes = model.manifest.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    expect(progress.every((event) => event.totalBytes === totalBytes)).toBe(true);
    const loaded = progress.map(({ loadedBytes }) => loadedBytes);
    expect(loaded).toEqual([...loaded].sort((a, b) => a - b));
    expect(loaded.at(-1)).toBe(totalBytes);

    const again = await load({ fetch, root: disk.root });
    expect(asked.slice(paths.length)).toEqual(['likeness.json']);
    const [unet, first] = [again.model, model].map(({ sources }) => sources.unet[0]!);
    expect(await unet!.read()).toEqual(await first!.read());
  });

  test('is read by its own configs', async () => {
    const { model } = await load({ ...serve(), ...inMemory });
    expect(model.pixelsPerLatent).toBe(4);
    expect(model.sampler).toBe('ddim');
    expect(model.schedule.predictionType).toBe('v_prediction');
    expect(model.tokenizer.encode('a toy').ids).toHaveLength(32);
    const query = 'unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q';
    expect(model.layers.find(({ module }) => module === query)).toEqual({
      module: query,
      kind: 'linear',
      weight: [192, 192],
    });
  });

  test('stops when it is told to', async () => {
    const stop = new AbortController();
    const job = loadBaseModel('bundled', base, stop.signal, { ...serve(), ...inMemory });
    await job.next();
    stop.abort();
    const rest = async () => {
      while (!(await job.next()).done);
    };
    await expect(rest()).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('a model that is not whole is refused with its reason', () => {
  const unet = 'unet/diffusion_pytorch_model.safetensors';

  test.each<[string, Readonly<Record<string, Answer>>, object]>([
    [
      'no manifest',
      { 'likeness.json': () => new Response('', { status: 404 }) },
      { code: 'file-missing', details: { file: 'likeness.json' } },
    ],
    [
      'the page in place of the manifest',
      { 'likeness.json': page },
      { code: 'file-missing', details: { file: 'likeness.json' } },
    ],
    [
      'a server in trouble',
      { 'likeness.json': () => new Response('', { status: 503 }) },
      { code: 'download-failed', details: { file: 'likeness.json', status: 503 } },
    ],
    [
      'no network',
      { 'likeness.json': () => Promise.reject(new TypeError('failed to fetch')) },
      { code: 'download-failed', details: { file: 'likeness.json' } },
    ],
    [
      'half a manifest',
      { 'likeness.json': () => new Response('{"version": 1') },
      { code: 'bad-file', details: { file: 'likeness.json', reason: 'it is not JSON' } },
    ],
    [
      'a missing file',
      { [unet]: () => new Response('', { status: 404 }) },
      { code: 'file-missing', details: { file: unet, status: 404 } },
    ],
    ['the page in place of a file', { [unet]: page }, { code: 'file-missing', details: { file: unet } }],
    [
      'a file cut short',
      { 'vae/config.json': () => new Response('{"_class') },
      { code: 'download-failed', details: { file: 'vae/config.json', reason: 'size' } },
    ],
  ])('%s', async (_, others, error) => {
    await expect(load({ ...serve(others), ...inMemory })).rejects.toMatchObject(error);
  });

  test('a file with other bytes than the manifest’s', async () => {
    const changed = Buffer.from(files.get(unet)!);
    changed[changed.length - 1]! ^= 1;
    await expect(
      load({ ...serve({ [unet]: () => new Response(changed) }), ...inMemory }),
    ).rejects.toMatchObject({
      code: 'download-failed',
      details: { file: unet, reason: 'hash' },
    });
  });

  test.each<[string, string, string, object]>([
    ['a config that is no JSON', 'unet/config.json', '<html>', { code: 'bad-file' }],
    [
      'an autoencoder of another kind',
      'vae/config.json',
      '{"_class_name": "VQModel"}',
      { code: 'unsupported-model', details: { reason: 'autoencoder of the class VQModel' } },
    ],
    [
      'weights that are no safetensors',
      'unet/diffusion_pytorch_model.safetensors',
      'hello',
      { code: 'bad-file' },
    ],
  ])('%s', async (_, path, content, error) => {
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(content));
    const manifest = manifestWith(path, {
      sizeBytes: content.length,
      sha256: Buffer.from(digest).toString('hex'),
    });
    const others = { 'likeness.json': manifest, [path]: () => new Response(content) };
    await expect(load({ ...serve(others), ...inMemory })).rejects.toMatchObject(error);
  });

  test('weights that do not fit the config', async () => {
    const path = 'text_encoder/config.json';
    const config = files
      .get(path)!
      .toString()
      .replace(/"intermediate_size": 512/, '"intermediate_size": 256');
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(config));
    const manifest = manifestWith(path, {
      sizeBytes: config.length,
      sha256: Buffer.from(digest).toString('hex'),
    });
    const others = { 'likeness.json': manifest, [path]: () => new Response(config) };
    await expect(load({ ...serve(others), ...inMemory })).rejects.toMatchObject({
      code: 'bad-file',
      details: {
        file: 'text_encoder/model.safetensors',
        reason: expect.stringContaining('this kind of model has [256') as string,
      },
    });
  });
});
