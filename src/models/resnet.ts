// ResnetBlock2D of diffusers, with and without a time embedding.
import type { Value } from '../onnx/graph';
import { add, reshape } from '../onnx/operators';
import { conv2d, groupNorm, linear, silu, within, type Scope } from './layers';

export type ResnetOptions = { readonly groups: number; readonly epsilon: number };

/** x [n, c, h, w] → [n, out, h, w]; `time` is silu(time embedding) [n, e], shared by all blocks of a UNet. */
export function resnet(
  scope: Scope,
  x: Value,
  out: number,
  time: Value | undefined,
  options: ResnetOptions,
): Value {
  const { builder: b } = scope;
  const { groups, epsilon } = options;
  const first = silu(b, groupNorm(within(scope, 'norm1'), x, groups, epsilon));
  let h = conv2d(within(scope, 'conv1'), first, out, { size: 3 });
  if (time) {
    const shift = linear(within(scope, 'time_emb_proj'), time, out);
    h = add(b, h, reshape(b, shift, [shift.shape[0]!, out, 1, 1]));
  }
  const second = silu(b, groupNorm(within(scope, 'norm2'), h, groups, epsilon));
  h = conv2d(within(scope, 'conv2'), second, out, { size: 3 });
  const skip = x.shape[1] === out ? x : conv2d(within(scope, 'conv_shortcut'), x, out, { size: 1 });
  return add(b, skip, h);
}
