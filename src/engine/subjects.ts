// A subject's weights, wherever they come from: a run's newest checkpoint, one of its snapshots, or an imported file.
import { AppError } from '../base/errors';
import { denoiseGraph, textGraph } from '../models/stable-diffusion';
import type { Pack } from '../onnx/packing';
import { loadCheckpoint } from '../storage/checkpoints';
import { loadLora } from '../storage/loras';
import { loadRun, type Run } from '../storage/runs';
import { checkLoraFits, readLora, type LoraModule } from '../weights/lora-file';
import { modulesOf, packsOfLayout, ranksOf, splitVectors, vectorsOf } from './adapters';
import type { BaseModel } from './base-model';
import type { Component } from './model-parts';
import type { DeviceAdapter, DeviceAdapters } from './denoiser';
import type { Pipeline } from './pipeline';

export type SubjectWeights = {
  readonly name: string;
  readonly modules: readonly LoraModule[];
  /** Where the subject was trained here: its run and the step of these weights. */
  readonly origin: { readonly run: Run; readonly step: number } | undefined;
};

/** Loads a subject for `model`. Throws AppError('wrong-model') for one of another base, 'storage-failed' where it is gone. */
export async function loadSubject(
  model: BaseModel,
  subjectId: string,
  checkpointStep: number | undefined,
): Promise<SubjectWeights> {
  const imported = await loadLora(subjectId);
  if (imported) {
    checkBase(model, imported.modelId, imported.name);
    const modules = await readLoraFor(model, imported.file, imported.fileName);
    return { name: imported.name, modules, origin: undefined };
  }
  const run = await loadRun(subjectId);
  const checkpoint = await loadCheckpoint(subjectId, checkpointStep);
  if (!run || !checkpoint)
    throw new AppError('storage-failed', { what: 'subject', reason: 'there are no weights of it' });
  checkBase(model, run.modelId, run.name);
  const packs = packsOfLayout(checkpoint.layout);
  return {
    name: run.name,
    modules: modulesOf(packs, splitVectors(packs, checkpoint.theta)),
    origin: { run, step: checkpoint.step },
  };
}

/** A LoRA file's modules, checked against the layers of `model`. */
export async function readLoraFor(
  model: BaseModel,
  file: Blob,
  fileName: string,
): Promise<readonly LoraModule[]> {
  const shapes = new Map(model.layers.map(({ module, weight }) => [module, weight]));
  const modules = await readLora(file, fileName, [...shapes.keys()]);
  checkLoraFits(modules, shapes, fileName);
  return modules;
}

/** Refuses what was made with another base model. Throws AppError('wrong-model', { file, reason }). */
export function checkBase(model: BaseModel, modelId: string, name: string): void {
  if (modelId !== model.manifest.id)
    throw new AppError('wrong-model', {
      file: name,
      reason: `it was made for ${modelId}, loaded is ${model.manifest.id}`,
    });
}

/** The weights on the device, with `strength` scaling what they change. The caller frees them. */
export function uploadAdapters(
  { runtime, model }: Pipeline,
  modules: readonly LoraModule[],
  strength: number,
): { readonly adapters: DeviceAdapters; dispose(): void } {
  const part = (component: Component): DeviceAdapter | undefined => {
    const own = modules.filter(({ module }) => module.startsWith(`${component}.`));
    if (own.length === 0) return undefined;
    const packs = packsFor(model, component, own);
    const vectors = Object.entries(vectorsOf(packs, own)).map(
      ([name, data]) => [name, runtime.upload('subject', 'float32', [data.length], data)] as const,
    );
    const key = own.map(({ module, rank }) => `${module}:${rank}`).join();
    return { key, rankOf: ranksOf(own), vectors: Object.fromEntries(vectors), strength };
  };
  const unet = part('unet');
  const text = part('text_encoder');
  return {
    adapters: { ...(unet ? { unet } : {}), ...(text ? { text } : {}) },
    dispose: () => {
      for (const adapter of [unet, text])
        for (const tensor of Object.values(adapter?.vectors ?? {})) tensor.dispose();
    },
  };
}

/** How the sampling graphs of this model lay out these modules. */
function packsFor(model: BaseModel, component: Component, modules: readonly LoraModule[]): readonly Pack[] {
  const rankOf = ranksOf(modules);
  if (component === 'text_encoder') return textGraph(model.text, 1, { rankOf }).packs;
  const side = 2 ** (model.unet.block_out_channels.length - 1);
  const contextLength = model.text.max_position_embeddings;
  const shape = [1, model.unet.in_channels, side, side] as const; // the layout does not depend on the size
  return denoiseGraph(model.unet, { shape, contextLength, guided: false, rescaled: false, rankOf }).packs;
}
