// A model that takes the guidance scale as an input (latent consistency models), against diffusers: one pass, and the text without a
// prompt has no part in it.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tensor } from '../onnx/testing/tensor';
import { relativeError } from '../onnx/testing/onnxruntime';
import { floats, readFixture, type Floats } from '../models/testing/fixture';
import { guidanceFeatures } from '../models/unet/time-features';
import { openDenoiser } from './denoiser';
import { Pipeline } from './pipeline';
import { openNodeRuntime } from './testing/bundled';
import { tinyModel } from './testing/tiny-model';

type Fixture = {
  readonly config: unknown;
  readonly inputs: {
    readonly sample: Floats;
    readonly timesteps: readonly [number];
    readonly encoder_hidden_states: Floats;
    readonly guidance: number;
  };
  readonly outputs: { readonly features: Floats; readonly sample: Floats };
};

const { config, inputs, outputs } = readFixture<Fixture>(
  join(import.meta.dirname, '../models'),
  'unet-guidance',
);

test('the guidance scale is embedded as diffusers does', () => {
  const features = floats(outputs.features);
  const own = guidanceFeatures(inputs.guidance, features.data.length);
  expect(relativeError(tensor(features.shape, own), features)).toBeLessThanOrEqual(1e-5);
});

test('the model predicts with it as in diffusers', async () => {
  const pipeline = new Pipeline(openNodeRuntime(), tinyModel(config, {}));
  const context = Float32Array.from(floats(inputs.encoder_hidden_states).data);
  const predict = async (guidance: number) => {
    const denoiser = await openDenoiser(pipeline, {
      shape: [1, 4, 8, 8],
      conditional: context,
      unconditional: new Float32Array(context.length).fill(100),
      guidance,
      rescale: 0.7,
      adapter: undefined,
      seeds: [1],
    });
    const { runtime } = pipeline;
    const sample = runtime.upload(
      'test',
      'float32',
      [1, 4, 8, 8],
      Float32Array.from(floats(inputs.sample).data),
    );
    const prediction = await denoiser.predict(sample, inputs.timesteps[0], 1, new AbortController().signal);
    const values = tensor([1, 4, 8, 8], await runtime.read(prediction));
    for (const one of [sample, prediction]) one.dispose();
    denoiser.close();
    return values;
  };
  const expected = floats(outputs.sample);
  expect(relativeError(await predict(inputs.guidance), expected)).toBeLessThanOrEqual(1e-4);
  expect(relativeError(await predict(1), expected)).toBeGreaterThan(1e-2); // the scale takes part
});
