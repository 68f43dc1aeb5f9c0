// `POST /embeddings` of the mock: three numbers that depend on the text and the model alone.
import type { MockModel } from './fixture-models';
import type { JsonObject } from './record';
import { errorBody, json, type Reply } from './reply';

/** The vector of a text; another model gives another one. */
export function embed(model: string, text: string): number[] {
  const sum = [...text].reduce((total, character) => total + character.codePointAt(0)!, 0);
  return [text.length, sum / 256, model.length];
}

function toBase64(vector: readonly number[]): string {
  return Buffer.from(Float32Array.from(vector).buffer).toString('base64');
}

export function answerEmbeddings(model: MockModel | undefined, id: string, body: JsonObject): Reply {
  if (!model) return json(400, errorBody(400, `${id} is not a valid model ID`));
  if (!model.architecture.output_modalities.includes('embeddings')) {
    return json(404, errorBody(404, `No endpoints found for ${id}.`));
  }
  const { input } = body;
  const texts: readonly unknown[] = Array.isArray(input) ? input : [input];
  if (!texts.every((text) => typeof text === 'string')) return json(400, errorBody(400, 'Invalid input'));
  return json(200, {
    id: 'gen-emb-1',
    object: 'list',
    data: texts.map((text, index) => {
      const vector = embed(id, text);
      return {
        object: 'embedding',
        index,
        embedding: body['encoding_format'] === 'base64' ? toBase64(vector) : vector,
      };
    }),
    model: id,
    provider: 'Mock Studio',
    usage: {
      prompt_tokens: texts.length,
      total_tokens: texts.length,
      cost: id.endsWith(':free') ? 0 : 0.0001,
    },
  });
}
