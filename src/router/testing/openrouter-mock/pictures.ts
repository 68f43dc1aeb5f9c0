// `POST /images` of the mock: one picture an answer, a JPEG unless told otherwise, paid unless the model's id ends in `:free`.
import type { Piece } from './answer-wire';
import type { MockModel } from './fixture-models';
import type { JsonObject } from './record';
import { errorBody, json, type Reply } from './reply';

const png =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const jpeg = '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0a/9k=';

function usageOf(cost: number) {
  return { prompt_tokens: 19, completion_tokens: 4096, total_tokens: 4115, cost, is_byok: false };
}

/** The picture that `body` asks of `model`; it does not look at the prompt. */
function paint(model: MockModel, { output_format: format }: JsonObject) {
  const isPng = format === 'png';
  const cost = model.id.endsWith(':free') ? 0 : 0.014;
  return {
    b64_json: isPng ? png : jpeg,
    media_type: isPng ? 'image/png' : 'image/jpeg',
    usage: usageOf(cost),
  };
}

/** The answer to a request for pictures, or the events of a streamed one. */
export function drawPicture(
  model: MockModel | undefined,
  id: string,
  body: JsonObject,
): Reply | readonly Piece[] {
  if (!model) return json(400, errorBody(400, `${id} is not a valid model ID`));
  if (!model.architecture.output_modalities.includes('image')) {
    return json(
      404,
      errorBody(404, `No endpoints found that support the requested output modalities: image`),
    );
  }
  if (typeof body['prompt'] !== 'string' || body['prompt'] === '') {
    const message = JSON.stringify([{ code: 'invalid_type', path: ['prompt'], message: 'Required' }]);
    return json(400, { success: false, error: { name: 'ZodError', message } });
  }
  const { n } = body;
  if (n !== undefined && n !== 1) {
    const why = `No provider for ${id} supports the requested parameter(s): n "${JSON.stringify(n)}". Provider rejections: Mock Studio: n: must be exactly 1`;
    return json(400, errorBody(400, why));
  }
  const { usage, ...picture } = paint(model, body);
  if (body['stream'] !== true) return json(200, { created: 0, data: [picture], usage });
  const events = [
    { type: 'image_generation.partial_image', partial_image_index: 0, b64_json: picture.b64_json },
    { type: 'image_generation.completed', ...picture, created: 0, usage },
  ].map((event) => `data: ${JSON.stringify(event)}\n\n`);
  return [': \n\n', ...events, 'data: [DONE]\n\n'].map((text) => ({ kind: 'text', text }));
}
