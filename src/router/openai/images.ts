// POST /images/generations: the local model as `likeness/<subject>`, or a free image model of OpenRouter when there is one.
import { z } from 'zod';
import { isAppError } from '../../base/errors';
import { insertPngText } from '../../weights/png-text';
import { formatParameters, parametersKeyword } from '../../weights/png-parameters';
import { fromBase64, toBase64 } from '../base64';
import type { DrawnImage } from '../draw';
import { isFreeId } from '../eligibility';
import type { Incoming, RouterParts } from '../parts';
import { redact } from '../redact';
import { unknownModel } from './chat';
import { zodRequestError } from './chat-request';
import { badRequest, RequestError } from './errors';
import { sendOnce } from './single-attempt';

const bodySchema = z.object({
  model: z.string().nullish(),
  prompt: z.string().min(1),
  negative_prompt: z.string().nullish(),
  n: z.int().min(1).max(10).nullish(),
  size: z.union([z.literal('auto'), z.string().regex(/^\d{2,4}x\d{2,4}$/, 'must be WIDTHxHEIGHT')]).nullish(),
  response_format: z.enum(['b64_json', 'url']).nullish(),
  output_format: z.enum(['png', 'jpeg']).nullish(),
  seed: z.int().nonnegative().nullish(),
  stream: z.literal(false, 'pictures are not streamed').nullish(),
});

type ImageRequest = z.infer<typeof bodySchema>;

const localPrefix = 'likeness/';
const paidNames = /^(?:dall-e|gpt-image|chatgpt-image)/i;

type Picture = { readonly base64: string; readonly mediaType: string; readonly parameters: string };

/** True where a request for pictures needs no account: it is drawn on this machine. */
export function isLocalPicture(body: unknown): boolean {
  const parsed = z.object({ model: z.string() }).safeParse(body);
  return parsed.success && parsed.data.model.startsWith(localPrefix);
}

/** Draws on this machine. Throws RequestError; rejects on abort. */
export async function drawLocally(
  { draw, clock }: Pick<RouterParts, 'draw' | 'clock'>,
  body: unknown,
  signal: AbortSignal,
): Promise<Response> {
  const request = parseImageRequest(body);
  const model = request.model ?? '';
  if (!draw) throw badRequest(`${model} can only be drawn in the page that has the model.`, 'model');
  const subject = (await draw.subjects()).find(({ id }) => localPrefix + id === model);
  if (!subject) throw unknownModel(model);
  const [width, height] = sizeOf(request);
  let drawn: readonly DrawnImage[];
  try {
    drawn = await draw.draw(
      {
        subject: subject.id,
        prompt: request.prompt,
        negativePrompt: request.negative_prompt ?? '',
        count: request.n ?? 1,
        width,
        height,
        seed: request.seed ?? undefined,
        format: request.output_format ?? 'png',
      },
      signal,
    );
  } catch (error) {
    signal.throwIfAborted();
    const words = redact(error instanceof Error ? error.message : 'unknown');
    if (isAppError(error) && error.code === 'bad-settings') throw badRequest(words);
    throw new RequestError(503, 'draw_failed', `The picture could not be drawn: ${words}`);
  }
  const mediaType = request.output_format === 'jpeg' ? 'image/jpeg' : 'image/png';
  const pictures = drawn.map(({ bytes, parameters }) => ({ base64: toBase64(bytes), mediaType, parameters }));
  return imageResponse(request, model, pictures, clock.now(), {});
}

/** Asks a free image model of OpenRouter. Throws RequestError or AttemptsFailed; rejects on abort. */
export async function answerImages(parts: RouterParts, incoming: Incoming): Promise<Response> {
  const request = parseImageRequest(incoming.body);
  const asked = request.model ?? 'free';
  const isAny = asked === 'free' || paidNames.test(asked);
  if (!isAny && !isFreeId(asked)) throw unknownModel(asked);
  if ((request.n ?? 1) > 1) throw badRequest('Free image models draw one picture a request.', 'n');
  const free = await freeImageModels(parts, incoming.signal);
  const models = free.filter((id) => (isAny || id === asked) && !parts.quarantine.has(id));
  const model = pickAny(models, parts.random);
  if (model === undefined) throw await noImageModel(parts, isAny ? undefined : asked);
  const answer = answerSchema.parse(
    await sendOnce(parts, incoming, '/images', model, {
      model,
      prompt: request.prompt,
      output_format: request.output_format ?? 'png',
      ...(aspectRatio(request) !== undefined && { aspect_ratio: aspectRatio(request) }),
      ...(request.seed !== undefined && request.seed !== null && { seed: request.seed }),
    }),
  );
  const settings = {
    Model: model,
    ...(typeof request.seed === 'number' && { Seed: String(request.seed) }),
    ...(request.size && { Size: request.size }),
  };
  const parameters = formatParameters({ prompt: request.prompt, negativePrompt: '', settings });
  const pictures = answer.data.map(({ b64_json, media_type }) => ({
    base64: media_type === 'image/png' ? withText(b64_json, parameters) : b64_json,
    mediaType: media_type,
    parameters,
  }));
  const headers = { 'x-router-model': model, 'x-router-attempts': '1' };
  return imageResponse(request, model, pictures, parts.clock.now(), headers);
}

const answerSchema = z.object({
  data: z
    .array(
      z.object({
        b64_json: z.base64(),
        media_type: z
          .string()
          .regex(/^image\/(?:png|jpeg|webp)$/)
          .catch('image/png'),
      }),
    )
    .min(1),
});

const endpointsSchema = z.object({
  data: z.object({
    endpoints: z.array(z.object({ pricing: z.array(z.object({ cost_usd: z.unknown() })).min(1) })).min(1),
  }),
});

/** Image models whose every endpoint costs nothing. Their list prices are zero also where a picture costs money. */
async function freeImageModels({ upstream }: RouterParts, signal: AbortSignal): Promise<readonly string[]> {
  const listed = z
    .object({ data: z.array(z.object({ id: z.string() })) })
    .parse(await upstream.get('/images/models', undefined, signal));
  const free: string[] = [];
  for (const { id } of listed.data.filter((model) => isFreeId(model.id))) {
    const endpoints = endpointsSchema.safeParse(
      await upstream.get(`/images/models/${id}/endpoints`, undefined, signal),
    );
    const prices = endpoints.data?.data.endpoints.flatMap(({ pricing }) =>
      pricing.map(({ cost_usd }) => cost_usd),
    );
    if (prices?.every((price) => price === 0)) free.push(id);
  }
  return free;
}

async function noImageModel({ draw }: RouterParts, asked: string | undefined): Promise<RequestError> {
  if (asked !== undefined) return unknownModel(asked);
  const subjects = ((await draw?.subjects()) ?? []).map(({ id }) => localPrefix + id);
  const local =
    subjects.length > 0 ? ` On this machine can be drawn: ${subjects.slice(0, 20).join(', ')}.` : '';
  return new RequestError(503, 'no_free_model', `OpenRouter has no free image model now.${local}`);
}

function imageResponse(
  { response_format }: ImageRequest,
  model: string,
  pictures: readonly Picture[],
  now: number,
  headers: Readonly<Record<string, string>>,
): Response {
  const data = pictures.map(({ base64, mediaType, parameters }) => ({
    ...(response_format === 'url' ? { url: `data:${mediaType};base64,${base64}` } : { b64_json: base64 }),
    model,
    parameters,
  }));
  return Response.json({ created: Math.floor(now / 1000), data }, { headers: { ...headers } });
}

function parseImageRequest(body: unknown): ImageRequest {
  const parsed = bodySchema.safeParse(body);
  if (!parsed.success) throw zodRequestError(parsed.error);
  return parsed.data;
}

function sizeOf({ size }: ImageRequest): [number | undefined, number | undefined] {
  if (!size || size === 'auto') return [undefined, undefined];
  const [width, height] = size.split('x').map(Number);
  return [width, height];
}

const ratios = [
  [1, 1],
  [2, 3],
  [3, 2],
  [3, 4],
  [4, 3],
  [4, 5],
  [5, 4],
  [9, 16],
  [16, 9],
  [21, 9],
] as const;

/** The nearest of the ratios that OpenRouter knows. */
function aspectRatio(request: ImageRequest): string | undefined {
  const [width, height] = sizeOf(request);
  if (width === undefined || height === undefined) return undefined;
  const distance = ([w, h]: readonly [number, number]) => Math.abs(Math.log((width / height) * (h / w)));
  return [...ratios].sort((a, b) => distance(a) - distance(b))[0]!.join(':');
}

function pickAny(ids: readonly string[], random: () => number): string | undefined {
  return ids[Math.floor(random() * ids.length)];
}

function withText(base64: string, parameters: string): string {
  try {
    return toBase64(insertPngText(fromBase64(base64), parametersKeyword, parameters));
  } catch {
    return base64; // not a PNG after all: the picture counts more than its text
  }
}
