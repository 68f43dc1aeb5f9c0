// kohya's LoRA layout (sd-scripts networks/lora.py), the one that AUTOMATIC1111, ComfyUI, Civitai and diffusers read.
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { LoraKey, LoraModule, LoraPart } from './lora-module';
import { writeSafetensors, type TensorToWrite } from './safetensors';

const parts: Readonly<Record<string, LoraPart>> = {
  'lora_down.weight': 'down',
  'lora_up.weight': 'up',
  alpha: 'alpha',
};

/** Understands "lora_unet_….lora_down.weight" and the like; undefined for any other name. */
export function parseKohyaKey(name: string): LoraKey | undefined {
  const match = /^lora_(unet|te1?)_([^.]+)\.(lora_down\.weight|lora_up\.weight|alpha)$/.exec(name);
  if (match === null) return undefined;
  const [, prefix, flat, part] = match;
  return { path: `${prefix === 'unet' ? 'unet' : 'text_encoder'}_${flat!}`, part: parts[part!]! };
}

function kohyaName(module: string): string {
  const prefix = module.startsWith('unet.') ? 'lora_unet_' : 'lora_te_';
  const path = module.slice(module.indexOf('.') + 1).replaceAll('.', '_');
  const level = prefix === 'lora_te_' && !path.startsWith('text_model_') ? 'text_model_' : '';
  return prefix + level + path;
}

/** The file in float32, `metadata` completed by sshs_model_hash and sshs_legacy_hash. */
export function writeKohya(
  modules: readonly LoraModule[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const tensors = modules.flatMap(({ module, alpha, down, up }): TensorToWrite[] => {
    const name = kohyaName(module);
    return [
      { name: `${name}.lora_down.weight`, dtype: 'F32', ...down },
      { name: `${name}.lora_up.weight`, dtype: 'F32', ...up },
      { name: `${name}.alpha`, dtype: 'F32', shape: [], data: Float32Array.of(alpha) },
    ];
  });
  return writeSafetensors(tensors, { ...metadata, ...modelHashes(tensors, metadata) });
}

// sd-scripts' precalculate_safetensors_hashes: over a file that has only the ss_ metadata, so that notes may change later.
function modelHashes(tensors: readonly TensorToWrite[], metadata: Readonly<Record<string, string>>) {
  const training = Object.entries(metadata).filter(([key]) => key.startsWith('ss_'));
  const file = writeSafetensors(tensors, Object.fromEntries(training));
  const dataStart = 8 + Number(new DataView(file.buffer).getBigUint64(0, true));
  return {
    sshs_model_hash: bytesToHex(sha256(file.subarray(dataStart))),
    sshs_legacy_hash: bytesToHex(sha256(file.subarray(0x100000, 0x110000))).slice(0, 8),
  };
}
