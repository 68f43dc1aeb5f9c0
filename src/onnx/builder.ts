// Builds a graph node by node, inferring every type and shape on the way.
import { assert } from '../base/assert';
import { floatToHalf } from '../base/float16';
import {
  blockOf,
  type Constant,
  type ConstantData,
  type DataType,
  type Graph,
  type Node,
  type Shape,
  type Value,
} from './graph';
import { inferOutputs } from './infer';
import type { OpAttributes, OpName } from './ops/ops';

export class GraphBuilder {
  readonly name: string;
  readonly nodes: Node[] = [];
  readonly #inputs: Value[] = [];
  readonly #parameters = new Map<string, Value>();
  readonly #constants = new Map<string, Constant>();
  readonly #producers = new Map<string, Node>();
  readonly #prefix: string;
  #segment = '';
  #count = 0;

  /** `prefix` starts the names of everything made here, so that nodes of another graph can be appended beside them. */
  constructor(name: string, prefix = '') {
    this.name = name;
    this.#prefix = prefix;
  }

  /** Names the block of the model that following nodes belong to; recomputation cuts between blocks. */
  segment(name: string): void {
    this.#segment = name;
  }

  /** Names a part of the current block, where recomputation may cut too: following nodes belong to "block/part". */
  part(name: string): void {
    this.#segment = `${blockOf(this.#segment)}/${name}`;
  }

  get currentSegment(): string {
    return this.#segment;
  }

  /** A tensor fed on every call. */
  input(name: string, type: DataType, shape: Shape): Value {
    const value = { name, type, shape };
    this.#inputs.push(value);
    return value;
  }

  /** A frozen weight; asking twice for one name gives one value (tied weights). */
  parameter(name: string, shape: Shape, type: DataType = 'float32'): Value {
    const known = this.#parameters.get(name);
    if (known) {
      assert(
        known.shape.join() === shape.join(),
        `${name} is [${known.shape.join()}], not [${shape.join()}]`,
      );
      return known;
    }
    const value = { name, type, shape };
    this.#parameters.set(name, value);
    return value;
  }

  /** Data known now; equal small constants share one value. */
  constant(data: ConstantData, shape: Shape): Value {
    const type = dataTypeOf(data);
    const key = data.length <= 64 ? `${type}[${shape.join()}]=${data.join()}` : `#${this.#count++}`;
    const known = this.#constants.get(key);
    if (known) return known.value;
    const value = { name: `${this.#prefix}const_${this.#constants.size}`, type, shape };
    this.#constants.set(key, { value, data });
    return value;
  }

  /** Numbers known now, kept in `type`. */
  floats(data: Float32Array, shape: Shape, type: DataType): Value {
    return this.constant(type === 'float16' ? floatToHalf(data) : data, shape);
  }

  /** A constant of shape [1]: not [], whose WebGPU buffer would be smaller than one vec4. */
  scalar(x: number, type: DataType = 'float32'): Value {
    return this.floats(Float32Array.of(x), [1], type);
  }

  /** Adds a node and answers all its outputs. */
  nodeOutputs<Op extends OpName>(
    op: Op,
    inputs: readonly (Value | undefined)[],
    attributes: OpAttributes[Op],
  ): readonly Value[] {
    const outputs = inferOutputs(op, inputs, attributes).map(({ type, shape }) => ({
      name: `${this.#prefix}${op}_${this.#count++}`,
      type,
      shape,
    }));
    const node = { op, inputs, outputs, attributes, segment: this.#segment } as Node;
    this.append(node);
    return outputs;
  }

  /** Adds a node and answers its first output. */
  node<Op extends OpName>(
    op: Op,
    inputs: readonly (Value | undefined)[],
    attributes: OpAttributes[Op],
  ): Value {
    return this.nodeOutputs(op, inputs, attributes)[0]!;
  }

  /** Adds a node made elsewhere (a copied one, for recomputation) as it is. */
  append(node: Node): void {
    this.nodes.push(node);
    for (const output of node.outputs) this.#producers.set(output.name, node);
  }

  /** The node that made `value`; undefined for inputs, parameters and constants. */
  producer(value: Value): Node | undefined {
    return this.#producers.get(value.name);
  }

  /** The data of `value` where it is a constant. */
  constantData(value: Value): ConstantData | undefined {
    for (const constant of this.#constants.values())
      if (constant.value.name === value.name) return constant.data;
    return undefined;
  }

  /** Adopts an input, parameter or constant of another graph under its own name. */
  adopt(kind: 'input' | 'parameter', value: Value): void {
    if (kind === 'input') this.#inputs.push(value);
    else this.#parameters.set(value.name, value);
  }

  adoptConstant(constant: Constant): void {
    this.#constants.set(`adopted ${constant.value.name}`, constant);
  }

  /**
   * Ends the build: the graph whose outputs are `outputs` under those names, without what they do not need.
   * Inputs stay even when unused, unless `dropUnusedInputs`.
   */
  finish(outputs: Readonly<Record<string, Value>>, options: { dropUnusedInputs?: boolean } = {}): Graph {
    const renamed = new Map<string, Value>();
    const results = Object.entries(outputs).map(([name, value]) => {
      let source = value;
      if (!this.#producers.has(value.name) || renamed.has(value.name))
        source = this.node('Identity', [value], {});
      const result = { ...source, name };
      renamed.set(source.name, result);
      return result;
    });
    const rename = (value: Value): Value => renamed.get(value.name) ?? value;
    const needed = new Set(results.map((value) => value.name));
    const nodes: Node[] = [];
    for (const node of this.nodes.toReversed()) {
      const made = node.outputs.map(rename);
      if (!made.some((value) => needed.has(value.name))) continue;
      const inputs = node.inputs.map((value) => value && rename(value));
      for (const value of inputs) if (value) needed.add(value.name);
      nodes.push({ ...node, inputs, outputs: made });
    }
    const isNeeded = (value: Value) => needed.has(value.name);
    return {
      name: this.name,
      inputs: options.dropUnusedInputs ? this.#inputs.filter(isNeeded) : this.#inputs,
      parameters: [...this.#parameters.values()].filter(isNeeded),
      constants: [...this.#constants.values()].filter(({ value }) => isNeeded(value)),
      nodes: nodes.reverse(),
      outputs: results,
    };
  }
}

function dataTypeOf(data: ConstantData): DataType {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Uint16Array) return 'float16';
  if (data instanceof Int32Array) return 'int32';
  if (data instanceof BigInt64Array) return 'int64';
  return 'uint8';
}
