// Prompts → what the UNet is conditioned on.
import { assertExists } from '../base/assert';
import { textGraph } from '../models/stable-diffusion';
import type { DeviceAdapter } from './denoiser';
import type { Pipeline } from './pipeline';

/** The hidden states [s, e] of a prompt; with an adapter, of the text encoder as that adapter changes it. */
export async function encodePrompt(
  pipeline: Pipeline,
  prompt: string,
  adapter?: DeviceAdapter,
): Promise<Float32Array> {
  const { runtime, model } = pipeline;
  const { ids } = model.tokenizer.encode(prompt);
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
