// From the files that a person dropped, or that lie in storage, to the parts of a model: a diffusers folder, or one file.
import { AppError } from '../base/errors';
import { openModelFolder } from './model-folder';
import type { ModelFiles, ModelParts } from './model-parts';

/** How names of files of weights end. */
export const weightsFile = /\.(safetensors|ckpt|pt|pth|bin)$/i;

/**
 * The model in these files: the folder that has unet/config.json in it, else the only file of weights. Only tables of contents are read
 * now, so another model is refused after kilobytes. Throws AppError('bad-file' | 'unsupported-model').
 */
export async function openModelFiles(files: ModelFiles): Promise<ModelParts> {
  const folder = findFolder([...files.keys()]);
  if (folder !== undefined) {
    const inside = [...files].filter(([path]) => path.startsWith(folder));
    return openModelFolder(new Map(inside.map(([path, file]) => [path.slice(folder.length), file])));
  }
  const path = findSingleFile([...files.keys()]);
  const { openSingleFile } = await import('./single-file'); // most people never need it
  return openSingleFile(files, path);
}

/** The only file of weights among these. Throws AppError('bad-file') where there is none, or more than one. */
export function findSingleFile(paths: readonly string[]): string {
  const candidates = paths.filter((path) => weightsFile.test(path));
  if (candidates.length === 1) return candidates[0]!;
  const [file = 'nothing'] = paths;
  const reason =
    candidates.length === 0
      ? 'there is neither a folder in diffusers layout nor a file of weights'
      : `there are ${candidates.length} files of weights without the folder around them: choose one, or the folder`;
  throw new AppError('bad-file', { file, reason });
}

/** The path ("" or "…/") of the outermost folder with a diffusers model. Throws AppError('bad-file') for two side by side. */
export function findFolder(paths: readonly string[]): string | undefined {
  const folders = paths.flatMap(
    (path) => /^((?:.*\/)?)(?:model_index\.json|unet\/config\.json)$/.exec(path)?.[1] ?? [],
  );
  const depth = (folder: string) => folder.split('/').length;
  const least = Math.min(...folders.map(depth));
  const [first, second] = new Set(folders.filter((folder) => depth(folder) === least));
  if (second === undefined) return first;
  throw new AppError('bad-file', {
    file: second,
    reason: 'there are several models: choose the folder of one',
  });
}
