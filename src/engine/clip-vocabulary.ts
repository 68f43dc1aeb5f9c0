// CLIP's vocabulary, which every Stable Diffusion 1.x and 2.x reads text with and no single file brings along: taken from the hub once,
// from one commit and checked by hash, and kept like any file of a model.
import type { ModelFileOptions } from '../storage/model-files';
import { openModelFile } from '../storage/model-files';
import { createHubFetch } from '../storage/hub/hub-fetch';
import { hubFileUrl } from '../storage/hub/hub-model';
import type { ModelFile } from '../storage/model-manifest';

const repository = 'openai/clip-vit-large-patch14';
const commit = '32bd64288804d66eefd0ccbe215aa642df71cc41';

const files: readonly ModelFile[] = [
  {
    path: 'tokenizer/vocab.json',
    sizeBytes: 1_059_962,
    sha256: 'e089ad92ba36837a0d31433e555c8f45fe601ab5c221d4f607ded32d9f7a4349',
  },
  {
    path: 'tokenizer/merges.txt',
    sizeBytes: 524_619,
    sha256: '9fd691f7c8039210e0fced15865466c65820d09b63988b0174bfe25de299051a',
  },
];

type Source = Pick<ModelFileOptions, 'fetch' | 'root'>;

/** Both files. Throws a hub fetch's AppErrors, or AppError('download-failed'). */
export function clipVocabulary(
  { fetch, root }: Source,
  signal: AbortSignal,
): Promise<readonly { readonly name: string; readonly file: Blob }[]> {
  const hubFetch = createHubFetch({ model: repository, token: undefined, fetch, signal });
  return Promise.all(
    files.map(async (file) => ({
      name: file.path,
      file: await openModelFile(file, {
        fetch: (_, init) => hubFetch(hubFileUrl(repository, commit, file.path.split('/')[1]!), init),
        ...(root && { root }),
        signal,
      }),
    })),
  );
}
