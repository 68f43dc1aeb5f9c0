// The picture under way, as it stands: by the model's own decoder where that is small, by TAESD where it is stored and has room, else by
// rough colours of one pixel a latent. Never so often that drawing takes much longer.
import type { LatentShape } from '../models/stable-diffusion';
import type { Planes } from '../diffusion/tiles';
import { colourLatents, fitColours } from '../diffusion/latent-colours';
import type { DeviceTensor } from '../runtime/runtime';
import type { ModelFileOptions } from '../storage/model-files';
import { fromPlanarTensor } from '../training/images';
import { decodePlanes, type Picture } from './pictures';
import type { Pipeline } from './pipeline';
import {
  previewDecoderBytes,
  previewPipeline,
  storedPreviewDecoder,
  takesPreviewDecoder,
} from './preview-decoder';
import { PreviewPace } from './preview-pace';

/** Side of the part of the picture that rough colours are fitted to, in latents: a seventh of the work of decoding 64 × 64. */
const fittedSide = 24;

type Paint = (latents: Planes) => Promise<Planes>;

export type PreviewOptions = {
  readonly spareBytes: number; // what drawing leaves of the memory
  readonly now: () => number; // ms
  readonly root?: ModelFileOptions['root'];
};

/** Previews of one request. */
export class LivePreview {
  readonly #pipeline: Pipeline;
  readonly #options: PreviewOptions;
  readonly #pace: PreviewPace;
  #paint: Promise<Paint> | undefined;
  #decoder: Pipeline | undefined; // TAESD

  constructor(pipeline: Pipeline, options: PreviewOptions) {
    this.#pipeline = pipeline;
    this.#options = options;
    this.#pace = new PreviewPace(options.now);
  }

  /** Whether a preview may be made now. */
  readonly isDue = (): boolean => this.#pace.isDue();

  /** The first picture of a batch of latents [n, c, h, w]; the tensor stays the caller's. */
  async paint(batch: DeviceTensor): Promise<Picture> {
    const { runtime } = this.#pipeline;
    const [, planes, height, width] = batch.shape as LatentShape;
    // Read before the clock starts: on a GPU it waits for all steps that were asked for until now.
    const data = ((await runtime.read(batch)) as Planes['data']).slice(0, planes * height * width);
    const latents = { data, planes, height, width };
    return this.#pace.measure(async () => {
      this.#paint ??= this.#choose(latents);
      const picture = await (await this.#paint)(latents);
      return {
        rgba: fromPlanarTensor(picture.data, picture.width, picture.height),
        width: picture.width,
        height: picture.height,
      };
    });
  }

  async #choose(latents: Planes): Promise<Paint> {
    const pipeline = this.#pipeline;
    if (pipeline.model.vae.kind === 'AutoencoderTiny') return (each) => decodePlanes(pipeline, each);
    const { spareBytes, root } = this.#options;
    const decoder = takesPreviewDecoder(pipeline.model) ? await storedPreviewDecoder(root) : undefined;
    if (decoder && previewDecoderBytes(pipeline, decoder, [latents.height, latents.width]) <= spareBytes) {
      const small = previewPipeline(pipeline, decoder);
      this.#decoder = small;
      return (each) => decodePlanes(small, each);
    }
    const middle = middleOf(latents, fittedSide);
    const colours = fitColours(middle, await decodePlanes(pipeline, middle));
    await pipeline.drop(`decode 1,${middle.planes},${middle.height},${middle.width}`); // on wasm it holds the weights again
    return (each) => Promise.resolve(colourLatents(colours, each));
  }

  async close(): Promise<void> {
    await this.#decoder?.dispose();
  }
}

/** The middle of the latents, `side` by `side` where there is as much. */
function middleOf({ data, planes, height, width }: Planes, side: number): Planes {
  const [rows, columns] = [Math.min(side, height), Math.min(side, width)];
  const [top, left] = [Math.floor((height - rows) / 2), Math.floor((width - columns) / 2)];
  const part = new Float32Array(planes * rows * columns);
  for (let i = 0; i < planes * rows; i++) {
    const start = (Math.floor(i / rows) * height + top + (i % rows)) * width + left;
    part.set(data.subarray(start, start + columns), i * columns);
  }
  return { data: part, planes, height: rows, width: columns };
}
