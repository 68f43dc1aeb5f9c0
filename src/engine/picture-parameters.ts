// The settings of a drawn picture, in its file.
import { sigmaSamplers } from '../diffusion/samplers/samplers';
import { formatParameters, parametersKeyword } from '../weights/png-parameters';
import { insertPngText } from '../weights/png-text';
import type { BaseModel } from './base-model';
import type { SampleRequest } from './contract';

/** The PNG with its settings in the text chunk that AUTOMATIC1111 writes and most tools read. */
export async function withParameters(
  png: Blob,
  model: BaseModel,
  request: SampleRequest,
  seed: number,
  subject: string | undefined,
): Promise<Blob> {
  const settings = {
    Steps: String(request.steps),
    Sampler: request.sampler,
    ...(hasOwnSigmas(request) ? {} : { 'Schedule type': scheduleTypes[request.sigmas] }),
    'CFG scale': String(request.guidance),
    Seed: String(seed),
    ...(request.start ? { 'Denoising strength': String(request.start.strength) } : {}),
    Size: `${request.width}x${request.height}`,
    Model: model.manifest.name,
    ...(subject === undefined
      ? {}
      : { Subject: subject, 'Subject strength': String(request.subjectStrength) }),
  };
  const { prompt, negativePrompt } = request;
  const bytes = new Uint8Array(await png.arrayBuffer());
  const text = formatParameters({ prompt, negativePrompt, settings });
  return new Blob([insertPngText(bytes, parametersKeyword, text)], { type: 'image/png' });
}

/** What AUTOMATIC1111 calls the ways to space sigmas. */
const scheduleTypes = { schedule: 'Automatic', karras: 'Karras', exponential: 'Exponential' } as const;

const hasOwnSigmas = ({ sampler, sigmas }: SampleRequest): boolean =>
  sigmas === 'schedule' || !sigmaSamplers.includes(sampler);
