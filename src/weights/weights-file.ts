// Any file of weights: safetensors, or PyTorch's own zip archive, told apart by how it starts.
import { AppError } from '../base/errors';
import { openSafetensors } from './safetensors';
import type { StoredTensor } from './stored-tensor';

export type WeightsFile = {
  readonly name: string;
  readonly metadata: Readonly<Record<string, string>>; // of safetensors
  readonly globalStep: number | undefined; // of a PyTorch checkpoint
  readonly tensors: ReadonlyMap<string, StoredTensor>;
};

/** Opens a file of weights; only its table of contents is read. Throws AppError('bad-file', { file, reason }). */
export async function openWeightsFile(blob: Blob, name: string): Promise<WeightsFile> {
  const start = new Uint8Array(await blob.slice(0, 262).arrayBuffer());
  if (start[0] === 0x50 && start[1] === 0x4b) {
    const { openTorchFile } = await import('./torch-zip'); // pickles are rare
    return { name, metadata: {}, ...(await openTorchFile(blob, name)) };
  }
  // protocol 2, then LONG1 of 10 bytes: the magic number of torch.save before version 1.6; before 0.1.10 it wrote a tar archive
  const isMagic = start[0] === 0x80 && start[1] === 2 && start[2] === 0x8a && start[3] === 0x0a;
  if (isMagic || new TextDecoder().decode(start.subarray(257)) === 'ustar') {
    const reason = 'it is a PyTorch file in the form of before 2020, which cannot be read in parts';
    throw new AppError('bad-file', { file: name, reason });
  }
  return { name, globalStep: undefined, ...(await openSafetensors(blob, name)) };
}
