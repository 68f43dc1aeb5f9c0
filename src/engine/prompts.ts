// Prompts → what the UNet is conditioned on.
import { assertExists } from '../base/assert';
import { chunkPrompt, weighStates } from '../models/clip/prompt-chunks';
import { textGraph } from '../models/stable-diffusion';
import type { SampleRequest } from './contract';
import { joined, type DeviceAdapter } from './denoiser';
import type { Pipeline } from './pipeline';

/** The hidden states [s, e] of a plain prompt; with an adapter, of the text encoder as that adapter changes it. */
export function encodePrompt(
  pipeline: Pipeline,
  prompt: string,
  adapter?: DeviceAdapter,
): Promise<Float32Array> {
  return encodeIds(pipeline, pipeline.model.tokenizer.encode(prompt).ids, adapter);
}

/**
 * The hidden states of a prompt and of its negative prompt, as many of one as of the other: with weights, the one that has fewer chunks
 * is filled up with empty ones.
 */
export async function encodePrompts(
  pipeline: Pipeline,
  { prompt, negativePrompt, promptSyntax }: Pick<SampleRequest, 'prompt' | 'negativePrompt' | 'promptSyntax'>,
  adapter?: DeviceAdapter,
): Promise<{ readonly conditional: Float32Array; readonly unconditional: Float32Array }> {
  if (promptSyntax === 'plain')
    return {
      conditional: await encodePrompt(pipeline, prompt, adapter),
      unconditional: await encodePrompt(pipeline, negativePrompt, adapter),
    };
  const { tokenizer } = pipeline.model;
  const [positive, negative] = [prompt, negativePrompt].map((text) => chunkPrompt(tokenizer, text));
  const count = Math.max(positive!.length, negative!.length);
  const [empty] = chunkPrompt(tokenizer, '');
  const encode = async (chunks: ReturnType<typeof chunkPrompt>) => {
    const states: Float32Array[] = [];
    for (let i = 0; i < count; i++) {
      const { ids, weights } = chunks[i] ?? empty!;
      states.push(weighStates(await encodeIds(pipeline, ids, adapter), weights));
    }
    return joined(states);
  };
  return { conditional: await encode(positive!), unconditional: await encode(negative!) };
}

async function encodeIds(
  pipeline: Pipeline,
  ids: Int32Array<ArrayBuffer>,
  adapter?: DeviceAdapter,
): Promise<Float32Array> {
  const { runtime, model } = pipeline;
  const key = `text ${adapter?.key ?? ''}`;
  const program = await pipeline.program(
    key,
    'text encoder',
    ['text_encoder'],
    () => textGraph(model.text, 1, { rankOf: adapter?.rankOf, ...pipeline.graphOptions }).graph,
  );
  const feeds = {
    ids: runtime.upload('text', 'int32', [1, ids.length], ids),
    ...(adapter
      ? { strength: runtime.upload('text', 'float32', [1], Float32Array.of(adapter.strength)) }
      : {}),
  };
  const { context } = await program.run({ ...feeds, ...adapter?.vectors });
  for (const tensor of Object.values(feeds)) tensor.dispose();
  const tensor = assertExists(context, 'context');
  const states = Float32Array.from((await runtime.read(tensor)) as Float32Array);
  tensor.dispose();
  return states;
}
