// What a tensor in a graph is: a name, a data type and a static shape.

export type DataType = 'float32' | 'float16' | 'int32' | 'int64' | 'bool' | 'uint8';
/** What values between two nodes are computed in. */
export type FloatType = 'float32' | 'float16';
export type Shape = readonly number[];

/** A tensor in a graph, known by its name: produced by one node, or one of the graph's inputs, parameters or constants. */
export type Value = { readonly name: string; readonly type: DataType; readonly shape: Shape };

const bytesOf: Readonly<Record<DataType, number>> = {
  float32: 4,
  float16: 2,
  int32: 4,
  int64: 8,
  bool: 1,
  uint8: 1,
};

/** Number of elements of a shape; 1 for a scalar. */
export const sizeOf = (shape: Shape): number => shape.reduce((size, dim) => size * dim, 1);

/** Bytes that a tensor of this type and shape holds. */
export const byteSizeOf = (value: { readonly type: DataType; readonly shape: Shape }): number =>
  sizeOf(value.shape) * bytesOf[value.type];
