// The manifest of a base model on a server: its files with sizes and hashes, and what its makers advise. Made by tools/model-manifest.mjs.
import { z } from 'zod';
import { AppError } from '../base/errors';

export type ModelFile = {
  readonly path: string; // relative URL
  readonly sha256: string; // hex
  readonly sizeBytes: number;
};

export type ModelManifest = {
  readonly version: 1;
  readonly id: string;
  readonly name: string;
  readonly license: string;
  readonly files: readonly ModelFile[]; // paths relative to the manifest
  readonly resolution: number; // pixels of a side that the model was trained for
  readonly sampling: {
    readonly sampler: string;
    readonly steps: number;
    readonly guidance: number;
    readonly guidanceRescale: number;
  };
  /** Training settings that suit this model better than the recipes' own, by name. */
  readonly training: Readonly<Record<string, string | number | boolean>>;
};

const pathPattern = /^(?!.*(^|\/)\.{1,2}(\/|$))[\w.-]+(\/[\w.-]+)*$/; // stays in its folder

/** What a manifest has to be. */
export const manifestSchema: z.ZodType<ModelManifest> = z.strictObject({
  version: z.literal(1),
  id: z.string().min(1),
  name: z.string().min(1),
  license: z.string().min(1),
  files: z
    .array(
      z.strictObject({
        path: z.string().regex(pathPattern),
        sizeBytes: z.int().min(1),
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
      }),
    )
    .min(1)
    .refine((files) => new Set(files.map(({ path }) => path)).size === files.length, 'a path stands twice'),
  resolution: z.int().min(8),
  sampling: z.strictObject({
    sampler: z.string().min(1),
    steps: z.int().min(1),
    guidance: z.number().min(0),
    guidanceRescale: z.number().min(0).max(1),
  }),
  training: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
});

/** Checks the text of a manifest. Throws AppError('bad-file', { file, reason }). */
export function parseModelManifest(text: string, fileName: string): ModelManifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new AppError('bad-file', { file: fileName, reason: 'it is not JSON' }, error);
  }
  const result = manifestSchema.safeParse(json);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw new AppError('bad-file', { file: fileName, reason: `${path.join('.')}: ${message}` }, result.error);
}
