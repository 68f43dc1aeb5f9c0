import 'fake-indexeddb/auto';
import { beforeAll, describe, expect, test } from 'vitest';
import { counterNormals } from '../base/random';
import { saveCheckpoint, saveSnapshot } from '../storage/checkpoints';
import { loadLora, saveLora } from '../storage/loras';
import { writeKohya } from '../weights/lora-kohya';
import { openSafetensors } from '../weights/safetensors';
import { joinVectors, layoutOf, modulesOf, vectorsOf, type Vectors } from './adapters';
import type { BaseModel } from './base-model';
import type { LoraFormat } from './contract';
import { drawLatents } from './draw';
import { baseOf, exportLora, importLora } from './lora-files';
import { Pipeline } from './pipeline';
import { loadSubject, uploadAdapters } from './subjects';
import { bundledModel, openNodeRuntime } from './testing/bundled';
import { shortSettings, storeRun } from './testing/runs';
import { lossGraphOf } from './training-plan';

const signal = new AbortController().signal;
let model: BaseModel;
let pipeline: Pipeline;
let loss: ReturnType<typeof lossGraphOf>;

/** Weights as a training leaves them: no matrix is zero. */
const weightsOf = (seed: number): Vectors =>
  Object.fromEntries(
    loss.packs.map((pack, i) => {
      const size = pack.members.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
      return [pack.name, counterNormals(seed, 'lora-init', i, size).map((x) => 0.1 * x)];
    }),
  );

beforeAll(async () => {
  model = await bundledModel();
  pipeline = new Pipeline(openNodeRuntime(), model);
  loss = lossGraphOf(model, shortSettings, pipeline.runtime, 'fast');
  await storeRun('toy');
  for (const step of [3, 6]) {
    const theta = joinVectors(loss.packs, weightsOf(step));
    const zeros = new Float32Array(theta.length);
    const layout = layoutOf(loss.modules);
    const losses = new Float32Array(step);
    const checkpoint = { version: 1, runId: 'toy', step, theta, m: zeros, v: zeros, losses, layout } as const;
    await saveCheckpoint(checkpoint);
    await saveSnapshot(checkpoint);
  }
});

/** Latents of one small picture with a subject's weights. */
async function draw(subjectId?: string, strength = 1, checkpointStep?: number): Promise<Float32Array> {
  const subject = subjectId === undefined ? undefined : await loadSubject(model, subjectId, checkpointStep);
  const uploaded = subject && uploadAdapters(pipeline, subject.modules, strength);
  const request = { shape: [1, 4, 8, 8], prompt: 'a photo of a sks toy', steps: 2, seeds: [5] } as const;
  const adapters = uploaded ? { adapters: uploaded.adapters } : {};
  const latents = await drawLatents(pipeline, { ...request, ...adapters }, signal);
  const data = Float32Array.from((await pipeline.runtime.read(latents)) as Float32Array);
  latents.dispose();
  uploaded?.dispose();
  return data;
}

const mostDifference = (a: Float32Array, b: Float32Array) =>
  a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);
const byName = <T extends { readonly module: string }>(list: readonly T[]) =>
  [...list].sort((one, other) => (one.module < other.module ? -1 : 1));

async function exported(format: LoraFormat, checkpointStep?: number) {
  const file = await exportLora(model, { subjectId: 'toy', checkpointStep, format });
  return { ...file, blob: new Blob([file.bytes as Uint8Array<ArrayBuffer>]) };
}

describe('a trained subject', () => {
  test('has the newest weights, or those of a step', async () => {
    const newest = await loadSubject(model, 'toy', undefined);
    expect(newest.name).toBe('My toy');
    expect(newest.origin!.step).toBe(6);
    expect(byName(newest.modules)).toEqual(byName(modulesOf(loss.packs, weightsOf(6))));
    expect(vectorsOf(loss.packs, newest.modules)).toEqual(weightsOf(6));
    const earlier = await loadSubject(model, 'toy', 3);
    expect(earlier.origin!.step).toBe(3);
    expect(vectorsOf(loss.packs, earlier.modules)).toEqual(weightsOf(3));
  });

  test('changes the picture with its strength, and not at all at strength 0', async () => {
    const base = await draw();
    expect(mostDifference(await draw('toy', 0), base)).toBeLessThan(1e-5);
    const half = mostDifference(await draw('toy', 0.5), base);
    const full = mostDifference(await draw('toy'), base);
    expect(half).toBeGreaterThan(1e-3);
    expect(full).toBeGreaterThan(1.3 * half);
    expect(mostDifference(await draw('toy', 1, 3), await draw('toy'))).toBeGreaterThan(1e-3);
  });

  test('that does not exist, or was made for another model, is refused', async () => {
    await expect(loadSubject(model, 'nobody', undefined)).rejects.toMatchObject({ code: 'storage-failed' });
    await expect(loadSubject(model, 'toy', 4)).rejects.toMatchObject({ code: 'storage-failed' });
    const other = { ...model, manifest: { ...model.manifest, id: 'other' } };
    await expect(loadSubject(other, 'toy', undefined)).rejects.toMatchObject({
      code: 'wrong-model',
      details: { file: 'My toy', reason: 'it was made for bundled, loaded is other' },
    });
  });
});

describe.each(['kohya', 'peft'] as const)('a %s file', (format) => {
  test('brought in again has the run’s weights and draws its picture', async () => {
    const file = await exported(format);
    const id = await importLora(model, file.blob, 'from a friend.safetensors');
    const subject = await loadSubject(model, id, undefined);
    expect(subject).toMatchObject({ name: 'from a friend', origin: undefined });
    expect(subject.modules).toEqual(byName(modulesOf(loss.packs, weightsOf(6))));
    expect(await draw(id)).toEqual(await draw('toy'));
  });

  test('holds the step that was asked for', async () => {
    const id = await importLora(model, (await exported(format, 3)).blob, 'three.safetensors');
    expect(vectorsOf(loss.packs, (await loadSubject(model, id, undefined)).modules)).toEqual(weightsOf(3));
  });

  test('is handed on as it came, alpha included', async () => {
    const modules = modulesOf(loss.packs, weightsOf(6)).map((module) => ({ ...module, alpha: 1 }));
    const id = await importLora(model, new Blob([writeKohya(modules, {})]), 'alpha.safetensors');
    const again = await exportLora(model, { subjectId: id, checkpointStep: undefined, format });
    const blob = new Blob([again.bytes as Uint8Array<ArrayBuffer>]);
    const other = await importLora(model, blob, 'again.safetensors');
    expect((await loadSubject(model, other, undefined)).modules).toEqual(byName(modules));
    const scaled = vectorsOf(loss.packs, modules);
    expect(scaled).not.toEqual(weightsOf(6));
    expect(await draw(other)).toEqual(await draw(id));
  });
});

test('the files say what they are', async () => {
  const kohya = await exported('kohya');
  expect([kohya.fileName, kohya.tensors]).toEqual(['My-toy.safetensors', 3 * loss.modules.length]);
  const { metadata, tensors } = await openSafetensors(kohya.blob, 'x');
  expect(tensors.size).toBe(kohya.tensors);
  expect(metadata).toMatchObject({
    ss_network_dim: '4',
    ss_network_alpha: '4',
    ss_steps: '6',
    ss_max_train_steps: '12',
    ss_base_model_version: 'bundled',
    ss_v2: expect.any(String) as string,
    'modelspec.architecture': 'bundled/lora',
    'modelspec.title': 'My toy',
  });
  const peft = await exported('peft');
  expect([peft.fileName, peft.tensors]).toEqual([
    'pytorch_lora_weights.safetensors',
    2 * loss.modules.length,
  ]);
});

test('Stable Diffusion has the names that other tools know', () => {
  const unet = { ...model.unet, block_out_channels: [320, 640, 1280, 1280] };
  expect(baseOf({ ...model, unet: { ...unet, cross_attention_dim: 768 } }).architecture).toBe(
    'stable-diffusion-v1/lora',
  );
  expect(baseOf({ ...model, unet: { ...unet, cross_attention_dim: 1024 } }).baseModelVersion).toBe('sd_v2');
});

describe('a file that is none of this model’s', () => {
  test('is refused and not stored', async () => {
    const text = new Blob(['not a LoRA']);
    await expect(importLora(model, text, 'x.safetensors')).rejects.toMatchObject({ code: 'bad-file' });
    const [first] = modulesOf(loss.packs, weightsOf(6));
    const stranger = writeKohya([{ ...first!, module: 'unet.nowhere.to_q' }], {});
    await expect(importLora(model, new Blob([stranger]), 'x.safetensors')).rejects.toMatchObject({
      code: 'wrong-model',
    });
    const wide = { shape: [4, 999], data: new Float32Array(4 * 999) };
    const misfit = writeKohya([{ ...first!, down: wide }], {});
    await expect(importLora(model, new Blob([misfit]), 'x.safetensors')).rejects.toMatchObject({
      code: 'wrong-model',
    });
  });

  test('but stored for another model is not drawn with', async () => {
    const { blob } = await exported('kohya');
    const id = await importLora(model, blob, 'mine.safetensors');
    await saveLora({ ...(await loadLora(id))!, id: 'theirs', modelId: 'other' });
    await expect(loadSubject(model, 'theirs', undefined)).rejects.toMatchObject({ code: 'wrong-model' });
  });
});
