// The layers that every model here is made of. Weight names are the state-dict names of diffusers and transformers.
import type { GraphBuilder } from '../onnx/builder';
import type { DataType, FloatType, Shape, Value } from '../onnx/graph';
import { sizeOf } from '../onnx/graph';
import { convProduct, linearProduct } from '../onnx/long-sums';
import {
  add,
  cast,
  conv,
  dequantize,
  gemm,
  mul,
  reshape,
  sigmoid,
  slice,
  transpose,
  upsampleNearest,
} from '../onnx/operators';
import type { Lora } from './lora';
import { quantizedParameters, type WeightBits } from './quantized';

/** Where in a model we are: the builder, the component and module path that weight names start with, and what adapts its layers. */
export type Scope = {
  readonly builder: GraphBuilder;
  readonly path: string; // "unet.down_blocks.0"
  readonly lora: Lora | undefined;
  readonly weightType: DataType; // what frozen weights are kept in; they are cast to computeType where they are used
  readonly weightBits: WeightBits | undefined; // of those frozen weights that are quantized
  readonly computeType: FloatType; // of the values between layers
  readonly largestBytes: number; // attention scores above it are computed in pieces
};

/** What holds for a whole model. */
export type ScopeOptions = {
  readonly lora?: Lora | undefined;
  readonly weightType?: DataType | undefined;
  readonly weightBits?: WeightBits | undefined;
  readonly computeType?: FloatType | undefined;
  readonly largestBytes?: number | undefined;
};

/** A model's outermost scope. */
export const rootScope = (builder: GraphBuilder, component: string, options: ScopeOptions = {}): Scope => ({
  builder,
  path: component,
  lora: options.lora,
  weightType: options.weightType ?? 'float32',
  weightBits: options.weightBits,
  computeType: options.computeType ?? 'float32',
  largestBytes: options.largestBytes ?? Infinity,
});

/** The scope of a child module. */
export const within = (scope: Scope, name: string): Scope => ({ ...scope, path: `${scope.path}.${name}` });

/** The weight `name` of this module, in the type that the scope computes in. */
export function weight(scope: Scope, name: string, shape: Shape): Value {
  const { builder: b, path, weightType, weightBits, computeType } = scope;
  const fullName = `${path}.${name}`;
  const quantized = weightBits && quantizedParameters(fullName, shape, weightBits);
  if (!quantized) return cast(b, b.parameter(fullName, shape, weightType), computeType);
  const { data, scales } = quantized;
  const levels = b.parameter(data.name, data.shape, 'uint8');
  const perBlock = cast(b, b.parameter(scales.name, scales.shape, weightType), computeType);
  return reshape(b, dequantize(b, levels, perBlock, weightBits), shape);
}

/** y = x Wᵀ + b on the last axis: x [..., in] → [..., out]. */
export function linear(scope: Scope, x: Value, out: number, { bias = true }: { bias?: boolean } = {}): Value {
  const { builder: b } = scope;
  const features = x.shape.at(-1)!;
  const rows = reshape(b, x, [sizeOf(x.shape) / features, features]);
  const kernel = [out, features];
  const offset = bias ? weight(scope, 'bias', [out]) : undefined;
  let y = linearProduct(b, rows, weight(scope, 'weight', kernel), offset);
  const adapter = scope.lora?.adapt(b, scope.path, kernel);
  if (adapter) {
    let low = linearProduct(b, rows, adapter.down, undefined);
    if (adapter.strength) low = mul(b, low, adapter.strength);
    y = gemm(b, low, adapter.up, { transB: true, c: y }); // the sum is the product's own C
  }
  return reshape(b, y, x.shape.with(-1, out));
}

/** Two-dimensional convolution with a square kernel: x [n, c, h, w] → [n, out, h', w']. */
export function conv2d(
  scope: Scope,
  x: Value,
  out: number,
  {
    size,
    stride = 1,
    padding = (size - 1) / 2,
    bias = true,
  }: { size: number; stride?: number; padding?: number; bias?: boolean },
): Value {
  const { builder: b } = scope;
  const kernel = [out, x.shape[1]!, size, size];
  const offset = bias ? weight(scope, 'bias', [out]) : undefined;
  const y = convProduct(b, x, weight(scope, 'weight', kernel), offset, { stride, padding });
  const adapter = scope.lora?.adapt(b, scope.path, kernel);
  if (!adapter) return y;
  let low = convProduct(b, x, adapter.down, undefined, { stride, padding });
  if (adapter.strength) low = mul(b, low, adapter.strength);
  return add(b, y, conv(b, low, adapter.up, undefined));
}

/** Layer normalisation over the last axis (Ba et al. 2016). */
export function layerNorm(scope: Scope, x: Value, epsilon = 1e-5): Value {
  const shape = [x.shape.at(-1)!];
  return scope.builder.node(
    'LayerNormalization',
    [x, weight(scope, 'weight', shape), weight(scope, 'bias', shape)],
    { axis: -1, epsilon },
  );
}

/** Group normalisation (Wu & He 2018) of [n, c, h, w]: each group is one channel of an instance normalisation. */
export function groupNorm(scope: Scope, x: Value, groups: number, epsilon: number): Value {
  const { builder: b } = scope;
  const [n, c] = x.shape as readonly [number, number];
  const ones = b.floats(new Float32Array(groups).fill(1), [groups], x.type);
  const zeros = b.floats(new Float32Array(groups), [groups], x.type);
  const grouped = reshape(b, x, [n, groups, sizeOf(x.shape) / n / groups]);
  const normalized = reshape(
    b,
    b.node('InstanceNormalization', [grouped, ones, zeros], { epsilon }),
    x.shape,
  );
  const perChannel = [1, c, 1, 1];
  const gain = reshape(b, weight(scope, 'weight', [c]), perChannel);
  return add(b, mul(b, normalized, gain), reshape(b, weight(scope, 'bias', [c]), perChannel));
}

/** x · sigmoid(x). */
export const silu = (b: GraphBuilder, x: Value): Value => mul(b, x, sigmoid(b, x));

/**
 * Nearest-neighbour doubling of [n, c, h, w], then a 3×3 convolution named "conv". A side of `size` may be one less than the double:
 * pixel i of 2h − 1 is then floor(i · h / (2h − 1)) in torch, which is floor(i / 2), so that the last one is left out.
 */
export function upsample(
  scope: Scope,
  x: Value,
  size?: { readonly height: number; readonly width: number },
): Value {
  const { builder: b } = scope;
  const doubled = upsampleNearest(b, x, 2);
  const cut = size ? slice(b, slice(b, doubled, 2, 0, size.height), 3, 0, size.width) : doubled;
  return conv2d(within(scope, 'conv'), cut, x.shape[1]!, { size: 3 });
}

/** [n, c, h, w] → [n·h·w, c]. */
export const toTokens = (b: GraphBuilder, x: Value): Value => {
  const [n, c, h, w] = x.shape as readonly [number, number, number, number];
  return reshape(b, transpose(b, reshape(b, x, [n, c, h * w]), [0, 2, 1]), [n * h * w, c]);
};

/** [n·h·w, c] → [n, c, h, w]. */
export const fromTokens = (b: GraphBuilder, tokens: Value, shape: Shape): Value => {
  const [n, c, h, w] = shape as readonly [number, number, number, number];
  return reshape(b, transpose(b, reshape(b, tokens, [n, h * w, c]), [0, 2, 1]), shape);
};
