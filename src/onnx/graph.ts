// ONNX as data: a graph is a list of nodes over typed values with static shapes. Nothing here runs or encodes it.
import type { OpAttributes, OpName } from './ops/ops';
import type { Value } from './value';

export { byteSizeOf, sizeOf, type DataType, type FloatType, type Shape, type Value } from './value';

/** Data known when the graph is built; float16 as its bits. int64 is for shapes, axes and indices only (WebGPU has no int64 arithmetic). */
export type ConstantData = Float32Array | Uint16Array | Int32Array | BigInt64Array | Uint8Array;
export type Constant = { readonly value: Value; readonly data: ConstantData };

export type Node<Op extends OpName = OpName> = {
  readonly [Name in Op]: {
    readonly op: Name;
    readonly inputs: readonly (Value | undefined)[]; // undefined = an optional input left out
    readonly outputs: readonly Value[];
    readonly attributes: OpAttributes[Name];
    readonly segment: string; // the block of the model, or block/part; recomputation cuts here
  };
}[Op];

/** The block of a segment "block" or "block/part". */
export const blockOf = (segment: string): string => segment.split('/', 1)[0]!;

/**
 * A whole graph. `inputs` are fed on every call; `parameters` are the frozen weights, named component.state-dict-name
 * ("unet.conv_in.weight"): an input on WebGPU, an initializer with external data on wasm. Nodes are in execution order.
 */
export type Graph = {
  readonly name: string;
  readonly inputs: readonly Value[];
  readonly parameters: readonly Value[];
  readonly constants: readonly Constant[];
  readonly nodes: readonly Node[];
  readonly outputs: readonly Value[];
};
