// LoRA weights in the forms that the engine needs: modules by name (files), and flat vectors by segment (graphs, checkpoints).
import { z } from 'zod';
import { assertExists } from '../base/assert';
import { AppError } from '../base/errors';
import { counterNormals } from '../base/random';
import { sizeOf } from '../onnx/graph';
import { packSize, type Pack } from '../onnx/packing';
import type { LoraModule as AdaptedModule, RankOf } from '../models/lora';
import { loraPacks } from '../models/stable-diffusion';
import type { LoraModule } from '../weights/lora-module';

/** One flat vector for each pack. */
export type Vectors = Readonly<Record<string, Float32Array<ArrayBuffer>>>;

/** The ranks of exactly these modules. */
export function ranksOf(modules: readonly Pick<LoraModule, 'module' | 'rank'>[]): RankOf {
  const ranks = new Map(modules.map(({ module, rank }) => [module, rank]));
  return (module) => ranks.get(module) ?? 0;
}

/**
 * The start of a run: A is normal with standard deviation 1 / rank and B zero, as peft's init_lora_weights="gaussian" which diffusers'
 * scripts use. A pure function of the seed.
 */
export function initialVectors(packs: readonly Pack[], seed: number): Vectors {
  let matrix = 0;
  const vectors: Record<string, Float32Array<ArrayBuffer>> = {};
  for (const pack of packs) {
    const vector = new Float32Array(packSize(pack));
    let offset = 0;
    for (const { name, shape } of pack.members) {
      const size = sizeOf(shape);
      if (name.endsWith('.lora_A.weight')) {
        const rank = shape[0]!;
        const normals = counterNormals(seed, 'lora-init', matrix++, size);
        for (let i = 0; i < size; i++) vector[offset + i] = normals[i]! / rank;
      }
      offset += size;
    }
    vectors[pack.name] = vector;
  }
  return vectors;
}

/** The vectors that hold these modules; alpha / rank is folded into the up matrices. */
export function vectorsOf(packs: readonly Pack[], modules: readonly LoraModule[]): Vectors {
  const byName = new Map(modules.map((module) => [module.module, module]));
  return Object.fromEntries(
    packs.map((pack) => {
      const vector = new Float32Array(packSize(pack));
      let offset = 0;
      for (const member of pack.members) {
        const { module, isUp } = parseMember(member.name);
        const { down, up, alpha, rank } = assertExists(byName.get(module), module);
        const scale = alpha / rank;
        if (!isUp || scale === 1) vector.set((isUp ? up : down).data, offset);
        else up.data.forEach((x, i) => (vector[offset + i] = x * scale));
        offset += sizeOf(member.shape);
      }
      return [pack.name, vector];
    }),
  );
}

/** The modules that lie in these vectors, with alpha = rank. */
export function modulesOf(packs: readonly Pack[], vectors: Vectors): readonly LoraModule[] {
  return packs.flatMap((pack) => {
    const vector = assertExists(vectors[pack.name], pack.name);
    const modules: LoraModule[] = [];
    let offset = 0;
    for (let i = 0; i < pack.members.length; i += 2) {
      const down = pack.members[i]!;
      const up = pack.members[i + 1]!;
      const middle = offset + sizeOf(down.shape);
      const end = middle + sizeOf(up.shape);
      const rank = down.shape[0]!;
      modules.push({
        module: parseMember(down.name).module,
        rank,
        alpha: rank,
        down: { shape: down.shape, data: vector.subarray(offset, middle) },
        up: { shape: up.shape, data: vector.subarray(middle, end) },
      });
      offset = end;
    }
    return modules;
  });
}

/** The vectors as one, in the packs' order, and back: a checkpoint stores one array. */
export function joinVectors(packs: readonly Pack[], vectors: Vectors): Float32Array<ArrayBuffer> {
  const whole = new Float32Array(packs.reduce((sum, pack) => sum + packSize(pack), 0));
  let offset = 0;
  for (const pack of packs) {
    whole.set(assertExists(vectors[pack.name], pack.name), offset);
    offset += packSize(pack);
  }
  return whole;
}

export function splitVectors(packs: readonly Pack[], whole: Float32Array): Vectors {
  let offset = 0;
  return Object.fromEntries(
    packs.map((pack) => {
      const start = offset;
      offset += packSize(pack);
      return [pack.name, whole.slice(start, offset)];
    }),
  );
}

const layoutSchema = z.array(
  z.object({
    module: z.string(),
    segment: z.string(),
    rank: z.int().positive(),
    down: z.array(z.int().positive()),
    up: z.array(z.int().positive()),
  }),
);

/** How a checkpoint's θ is cut into modules, as plain data. */
export const layoutOf = (modules: readonly AdaptedModule[]): z.infer<typeof layoutSchema> =>
  modules.map((module) => ({ ...module, down: [...module.down], up: [...module.up] }));

/** The packs of a stored layout; AppError('storage-failed') for one that cannot be read. */
export function packsOfLayout(layout: unknown): readonly Pack[] {
  const result = layoutSchema.safeParse(layout);
  if (!result.success) throw new AppError('storage-failed', { what: 'checkpoint' }, result.error);
  return loraPacks(result.data);
}

function parseMember(name: string): { module: string; isUp: boolean } {
  const match = assertExists(/^(.*)\.lora_([AB])\.weight$/.exec(name), `the module of ${name}`);
  return { module: match[1]!, isUp: match[2] === 'B' };
}
