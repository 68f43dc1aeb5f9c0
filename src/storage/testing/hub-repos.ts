// Repositories for tests of downloads: their files have content of the right size and no meaning.
import { createHash } from 'node:crypto';
import { hubOrigin } from '../hub/hub-fetch';
import { startHub, type Hub, type HubRepo } from './hub-server';

const bytes = (length: number, seed: number) => Uint8Array.from({ length }, (_, i) => (i * 31 + seed) % 251);
export const sha256 = (content: Uint8Array) => createHash('sha256').update(content).digest('hex');

export const token = 'hf_canary';
export const unet = 'unet/diffusion_pytorch_model.safetensors';
export const files = new Map([
  ['README.md', bytes(40, 1)],
  ['model_index.json', bytes(300, 2)],
  ['unet/config.json', bytes(500, 3)],
  ['vae/config.json', bytes(400, 4)],
  ['text_encoder/model.safetensors', bytes(90_000, 5)],
  [unet, bytes(300_000, 6)],
  ['vae/diffusion_pytorch_model.safetensors', bytes(70_000, 7)],
]);
export const open: HubRepo = { id: 'maker/open', files, license: 'openrail' };
export const gated: HubRepo = { id: 'maker/gated', files, token };
export const hidden: HubRepo = { id: 'maker/hidden', files, token, isPrivate: true };

/** A hub with these repositories, whose large files lie on another host. */
export const startTestHub = (repos: readonly HubRepo[] = [open, gated, hidden]): Promise<Hub> =>
  startHub(repos, { cdn: (port) => `http://localhost:${port}` });

/** A fetch for which the addresses of the real hub lead to this one. */
export const fetchFrom =
  (hub: () => Hub): typeof fetch =>
  (input, init) => {
    const request = new Request(input, init);
    const address = request.url.replace(hubOrigin, `http://127.0.0.1:${hub().port}`);
    return fetch(new Request(address, request), { signal: init?.signal ?? null });
  };
