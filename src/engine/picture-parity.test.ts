// Whole pictures of the bundled model, as a person gets them, against diffusers' pipelines: from text, from a picture, with a mask.
import { beforeAll, expect, test } from 'vitest';
import fixture from './__fixtures__/pictures.json';
import type { EngineApi, SampleEvent, SampleRequest, SamplerName } from './contract';
import { encodePngInNode, pixelsOf } from './testing/png';
import { openBundledEngine } from './testing/bundled-engine';

type Case = {
  readonly sampler: string;
  readonly kind: string;
  readonly strength?: number;
  readonly seeds?: readonly number[]; // drawn as one batch, of which `picture` is the last
  readonly picture: string; // RGB levels in base64
};
const cases: readonly Case[] = fixture.cases;

const never = new AbortController().signal;
let engine: EngineApi;
beforeAll(async () => {
  engine = await openBundledEngine();
}, 60_000);

const first = cases[0]!;
const levelsOf = ({ picture }: Case) => Uint8Array.from(Buffer.from(picture, 'base64'));

async function pngOf(levelAt: (pixel: number, channel: number) => number): Promise<Blob> {
  const rgba = Uint8ClampedArray.from({ length: 64 * 64 * 4 }, (_, i) =>
    i % 4 === 3 ? 255 : levelAt(Math.floor(i / 4), i % 4),
  );
  return encodePngInNode(rgba, 64, 64);
}

const isMasked = (pixel: number) => {
  const [x, y] = [pixel % 64, Math.floor(pixel / 64)];
  return x >= 24 && x < 56 && y >= 16 && y < 48;
};

async function requestOf({ sampler, kind, strength, seeds }: Case): Promise<SampleRequest> {
  const { prompt, edit, steps, seed, guidance } = fixture;
  const given = levelsOf(first);
  const start = strength !== undefined && {
    picture: await pngOf((pixel, channel) => given[pixel * 3 + channel]!),
    mask: kind === 'mask' ? await pngOf((pixel) => (isMasked(pixel) ? 255 : 0)) : undefined,
    strength,
  };
  return {
    prompt: start ? edit : prompt,
    negativePrompt: '',
    promptSyntax: 'plain',
    subjectId: undefined,
    checkpointStep: undefined,
    subjectStrength: 1,
    ...{ steps, seed, guidance },
    width: kind === 'wide' ? 88 : 64,
    height: kind === 'wide' ? 40 : 64,
    images: seeds?.length ?? 1,
    ...(seeds ? { seeds, batchSize: seeds.length } : {}),
    sampler: sampler as SamplerName,
    sigmas: 'schedule',
    ...(start ? { start } : {}),
    livePreview: false,
  };
}

/** The RGB levels of all pictures of a request. */
async function drawAll(request: SampleRequest): Promise<readonly Uint8Array[]> {
  const pngs: Blob[] = [];
  await engine.sample(request, (event) => void (event.kind === 'image-ready' && pngs.push(event.png)), never);
  return Promise.all(pngs.map(async (png) => rgbOf(await pixelsOf(png), request.width)));
}

const draw = async (request: SampleRequest): Promise<Uint8Array> => (await drawAll(request)).at(-1)!;

/** Rows of a filter byte and RGBA → RGB. */
const rgbOf = (rows: Uint8Array, width: number): Uint8Array =>
  rows.filter((_, i) => i % (4 * width + 1) !== 0).filter((_, i) => i % 4 !== 3);

function meanDifference(one: Uint8Array, other: Uint8Array): number {
  expect(one).toHaveLength(other.length);
  return one.reduce((sum, level, i) => sum + Math.abs(level - other[i]!), 0) / one.length;
}

test.each(cases)('$sampler, $kind, strength $strength, seeds $seeds', async (expected) => {
  const drawn = await draw(await requestOf(expected));
  const difference = meanDifference(drawn, levelsOf(expected));
  expect(difference).toBeLessThan(1); // levels of 255
});

test('a smaller strength keeps more of the picture, and a mask what is outside of it', async () => {
  const given = levelsOf(first);
  const request = await requestOf(cases.find(({ kind }) => kind === 'image')!);
  const start = request.start!;
  const weak = await draw({ ...request, start: { ...start, strength: 0.2 } });
  const strong = await draw({ ...request, start: { ...start, strength: 1 } });
  expect(meanDifference(weak, given)).toBeLessThan(meanDifference(strong, given) / 2);

  const mask = await pngOf((pixel) => (isMasked(pixel) ? 255 : 0));
  const part = await draw({ ...request, start: { ...start, mask, strength: 1 } });
  const partOf = (levels: Uint8Array, inside: boolean) =>
    levels.filter((_, i) => isMasked(Math.floor(i / 3)) === inside);
  const change = (inside: boolean) => meanDifference(partOf(part, inside), partOf(given, inside));
  expect(change(false)).toBeLessThan(change(true) / 3);
});

test.each([0, -1, 1.5, NaN])('strength %d is refused', async (strength) => {
  const request = await requestOf(cases.find(({ kind }) => kind === 'image')!);
  await expect(draw({ ...request, start: { ...request.start!, strength } })).rejects.toMatchObject({
    code: 'bad-settings',
    details: { setting: 'strength' },
  });
});

test('a list of seeds draws each, and has one for each picture', async () => {
  const request = { ...(await requestOf(first)), steps: 1, images: 2 };
  const seeds: number[] = [];
  const keep = (event: SampleEvent) => void (event.kind === 'image-ready' && seeds.push(event.seed));
  await engine.sample({ ...request, seeds: [9, 4] }, keep, never);
  expect(seeds).toEqual([9, 4]);
  for (const bad of [[1], [1, -1], [1, 2 ** 32], [1, 0.5]])
    await expect(engine.sample({ ...request, seeds: bad }, keep, never)).rejects.toMatchObject({
      code: 'bad-settings',
      details: { setting: 'seeds' },
    });
});

test('pictures drawn together are those drawn one by one, and events tell which', async () => {
  const request = {
    ...(await requestOf(cases.find(({ sampler }) => sampler === 'euler-ancestral')!)),
    steps: 4,
  };
  const mask = await pngOf((pixel) => (isMasked(pixel) ? 255 : 0));
  const given = levelsOf(first);
  const picture = await pngOf((pixel, channel) => given[pixel * 3 + channel]!);
  for (const start of [undefined, { picture, mask, strength: 0.8 }]) {
    const three = { ...request, ...(start ? { start } : {}), images: 3, seeds: [4, 9, 2 ** 32 - 1] };
    const alone = await drawAll(three);
    const together = await drawAll({ ...three, batchSize: 2 });
    const differences = alone.map((levels, i) =>
      Math.max(...levels.map((level, k) => Math.abs(level - together[i]![k]!))),
    );
    expect(differences).toHaveLength(3);
    expect(Math.max(...differences)).toBeLessThanOrEqual(1);
    expect(meanDifference(alone[0]!, alone[1]!)).toBeGreaterThan(1);
  }

  const seen: unknown[] = [];
  const keep = (event: SampleEvent) => {
    if (event.kind === 'step-end') seen.push([event.step, event.image, event.batch]);
    else if (event.kind === 'image-ready') seen.push([event.image, event.seed]);
  };
  await engine.sample({ ...request, steps: 2, images: 3, seed: 7, batchSize: 2 }, keep, never);
  expect(seen).toEqual([
    [1, 0, 2],
    [2, 0, 2],
    [0, 7],
    [1, 8],
    [1, 2, 1],
    [2, 2, 1],
    [2, 9],
  ]);
});

test('a batch is stopped between steps, and after one of its pictures', async () => {
  const request = { ...(await requestOf(first)), steps: 2, images: 4, batchSize: 2 };
  const run = async (stopAt: (event: SampleEvent) => boolean) => {
    const controller = new AbortController();
    const seen: string[] = [];
    const keep = (event: SampleEvent) => {
      seen.push(event.kind);
      if (stopAt(event)) controller.abort();
    };
    await expect(engine.sample(request, keep, controller.signal)).rejects.toMatchObject({
      name: 'AbortError',
    });
    return seen;
  };
  expect(await run(({ kind }) => kind === 'step-end')).toEqual(['step-end']);
  expect(await run(({ kind }) => kind === 'image-ready')).toEqual(['step-end', 'step-end', 'image-ready']);
});
