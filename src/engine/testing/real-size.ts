// Stable Diffusion in one file at its real size, of zeros: gigabytes that take no memory. For tests only.
import { parseClipTextConfig } from '../../models/clip/config';
import { listParameters, type ModelConfigs } from '../../models/parameters';
import type { Preset } from '../../models/presets/preset';
import { parseUnetConfig } from '../../models/unet/config';
import { parseAutoencoderKlConfig } from '../../models/vae/kl';
import { ldmPlace, type LdmLayout } from '../../weights/ldm-names';
import { countOf } from '../../weights/stored-tensor';

/** What the names of Stable Diffusion 1.x and 2.x depend on, but for the text encoder. */
export const stableDiffusionLayout = {
  layersPerBlock: 2,
  upBlockAttends: [false, true, true, true],
  vaeLevels: 4,
} as const satisfies Partial<LdmLayout>;

/** The configs of a preset, parsed. */
export const configsOf = (preset: Preset): ModelConfigs => ({
  unet: parseUnetConfig(preset.unet),
  text: parseClipTextConfig(preset.textEncoder),
  vae: { kind: 'AutoencoderKL', config: parseAutoencoderKlConfig(preset.vae) },
});

/** Name and shape of every tensor in the file of a preset. */
export function shapesInFile(
  preset: Preset,
  textEncoder: LdmLayout['textEncoder'],
): ReadonlyMap<string, readonly number[]> {
  const layout = { ...stableDiffusionLayout, textEncoder };
  const places = listParameters(configsOf(preset)).parameters.map(({ name, shape }) =>
    ldmPlace(name, shape, layout),
  );
  return new Map(places.map(({ name, shape }) => [name, shape]));
}

/** A safetensors file of these shapes in half precision, of zeros: the same few bytes again and again. */
export function zeroFile(shapes: ReadonlyMap<string, readonly number[]>): Blob {
  let dataBytes = 0;
  const entries = [...shapes].map(([name, shape]) => {
    const begin = dataBytes;
    dataBytes += 2 * countOf(shape);
    return [name, { dtype: 'F16', shape, data_offsets: [begin, dataBytes] }];
  });
  const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const length = new DataView(new ArrayBuffer(8));
  length.setBigUint64(0, BigInt(header.length), true);
  const piece = new Blob([new Uint8Array(2 ** 20)]);
  const pieces = new Array<Blob>(Math.floor(dataBytes / piece.size)).fill(piece);
  return new Blob([length.buffer, header, ...pieces, piece.slice(0, dataBytes % piece.size)]);
}
