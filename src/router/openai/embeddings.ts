// POST /embeddings, for an exact free id only.
import { z } from 'zod';
import { isFreeId, isPriceless } from '../eligibility';
import { parseModelList } from '../model-record';
import type { Incoming, RouterParts } from '../parts';
import { toBase64 } from '../base64';
import { unknownModel } from './chat';
import { zodRequestError } from './chat-request';
import { RequestError } from './errors';
import { sendOnce } from './single-attempt';

const bodySchema = z.object({
  model: z.string(),
  input: z.union([
    z.string().min(1),
    z.array(z.string()).min(1),
    z.array(z.int()).min(1),
    z.array(z.array(z.int())).min(1),
  ]),
  dimensions: z.int().positive().nullish(),
  encoding_format: z.enum(['float', 'base64']).nullish(),
});

const answerSchema = z.object({
  data: z.array(z.object({ index: z.int().optional(), embedding: z.array(z.number()) })),
  usage: z
    .object({ prompt_tokens: z.number().catch(0), total_tokens: z.number().catch(0) })
    .catch({ prompt_tokens: 0, total_tokens: 0 }),
});

/** Answers a request for vectors. Throws RequestError or AttemptsFailed; rejects on abort. */
export async function answerEmbeddings(parts: RouterParts, incoming: Incoming): Promise<Response> {
  const parsed = bodySchema.safeParse(incoming.body);
  if (!parsed.success) throw zodRequestError(parsed.error);
  const { model, input, dimensions, encoding_format } = parsed.data;
  if (!isFreeId(model)) {
    const message = 'Embeddings need the exact id of a free model (author/name:free).';
    throw new RequestError(404, 'model_not_found', message, { param: 'model' });
  }
  const list = parseModelList(
    await parts.upstream.get('/models?output_modalities=embeddings', undefined, incoming.signal),
  );
  const found = list.find(
    ({ id, pricing, architecture }) =>
      id === model && isPriceless(pricing) && architecture.output_modalities.includes('embeddings'),
  );
  if (!found || parts.quarantine.has(found.id)) throw unknownModel(model);
  const body = {
    model: found.id,
    input,
    encoding_format: 'float',
    ...(dimensions && { dimensions }),
  };
  const answer = answerSchema.parse(await sendOnce(parts, incoming, '/embeddings', found.id, body));
  const data = answer.data.map(({ embedding, index }, i) => ({
    object: 'embedding',
    index: index ?? i,
    embedding:
      encoding_format === 'base64'
        ? toBase64(new Uint8Array(Float32Array.from(embedding).buffer)) // little-endian, as on every machine that runs this
        : embedding,
  }));
  return Response.json(
    { object: 'list', data, model: found.id, usage: answer.usage },
    { headers: { 'x-router-model': found.id, 'x-router-attempts': '1' } },
  );
}
