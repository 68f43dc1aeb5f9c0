// PEFT's LoRA layout as diffusers saves and loads it (`lora_A` = down, `lora_B` = up), usually pytorch_lora_weights.safetensors.
import { withComponent, type LoraKey, type LoraModule } from './lora-module';
import { writeSafetensors, type TensorToWrite } from './safetensors';

/** The name that diffusers' load_lora_weights looks for in a folder. */
export const peftFileName = 'pytorch_lora_weights.safetensors';

/** Understands "unet.….lora_A.weight", also with an adapter's name or under peft's own "base_model.model."; undefined for any other name. */
export function parsePeftKey(name: string): LoraKey | undefined {
  const match = /^(?:base_model\.model\.)?(.+)\.lora_([AB])(?:\.[^.]+)?\.weight$/.exec(name);
  if (match === null) return undefined;
  return { path: withComponent(match[1]!), part: match[2] === 'A' ? 'down' : 'up' };
}

/** The file in float32. Alpha has no tensor here: where it is not the one rank of all modules, `lora_adapter_metadata` says it. */
export function writePeft(
  modules: readonly LoraModule[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const tensors = modules.flatMap(({ module, down, up }): TensorToWrite[] => {
    return [
      { name: `${module}.lora_A.weight`, dtype: 'F32', ...down },
      { name: `${module}.lora_B.weight`, dtype: 'F32', ...up },
    ];
  });
  const rank = modules[0]?.rank;
  const isPlain = modules.every((module) => module.rank === rank && module.alpha === rank);
  const adapter = isPlain ? {} : { lora_adapter_metadata: JSON.stringify(adapterMetadata(modules)) };
  return writeSafetensors(tensors, { format: 'pt', ...metadata, ...adapter });
}

// The fields of peft's LoraConfig, each behind its component's name. The first module's values are the rule, others are patterns.
function adapterMetadata(modules: readonly LoraModule[]): Record<string, unknown> {
  const config: Record<string, unknown> = {};
  for (const component of ['unet', 'text_encoder']) {
    const own = modules.filter(({ module }) => module.startsWith(`${component}.`));
    const first = own[0];
    if (first === undefined) continue;
    const path = ({ module }: LoraModule) => module.slice(component.length + 1);
    const otherRanks = own.filter(({ rank }) => rank !== first.rank).map((m) => [path(m), m.rank]);
    const otherAlphas = own.filter(({ alpha }) => alpha !== first.alpha).map((m) => [path(m), m.alpha]);
    config[`${component}.r`] = first.rank;
    config[`${component}.lora_alpha`] = first.alpha;
    config[`${component}.rank_pattern`] = Object.fromEntries(otherRanks) as unknown;
    config[`${component}.alpha_pattern`] = Object.fromEntries(otherAlphas) as unknown;
    config[`${component}.target_modules`] = own.map(path);
  }
  return config;
}

/** The alpha of `module` by the file's `lora_adapter_metadata`; undefined where it says nothing. Damaged metadata says nothing. */
export function peftAlpha(
  metadata: Readonly<Record<string, string>>,
  module: string,
  rank: number,
): number | undefined {
  const config = parseConfig(metadata['lora_adapter_metadata']);
  const dot = module.indexOf('.');
  const component = module.slice(0, dot);
  const path = module.slice(dot + 1);
  const patterns: unknown = config[`${component}.alpha_pattern`];
  let alpha: unknown = config[`${component}.lora_alpha`];
  // peft matches a pattern as a whole path or its end; patterns are names here, not regular expressions
  for (const [pattern, value] of Object.entries(isRecord(patterns) ? patterns : {})) {
    if (path === pattern || path.endsWith(`.${pattern}`)) alpha = value;
  }
  if (typeof alpha !== 'number' || !Number.isFinite(alpha)) return undefined;
  return config[`${component}.use_rslora`] === true ? alpha * Math.sqrt(rank) : alpha; // rsLoRA scales by alpha / √rank
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function parseConfig(text: string | undefined): Record<string, unknown> {
  if (text === undefined) return {};
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch {
    return {}; // another tool's note: the weights themselves are whole
  }
}
