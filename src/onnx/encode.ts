// A graph as the bytes of an ONNX ModelProto (onnx.proto, IR version 10, opset 21), written with the protobuf wire writer.
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { Constant, DataType, Graph, Node, Shape, Value } from './graph';
import { ops } from './ops/ops';
import type { AttributeEncoding } from './ops/schema';

/** Where a parameter's data lies when it is an initializer with external data. */
export type ExternalLocation = {
  readonly location: string;
  readonly offset: number;
  readonly length: number;
};

export type EncodeOptions = {
  /** 'inputs': parameters are graph inputs. A function: they are initializers whose data lies where it says. */
  readonly parametersAs: 'inputs' | ((name: string) => ExternalLocation);
};

const irVersion = 10; // the first with opset 21
const opsetVersion = 21;

/** TensorProto.DataType */
const typeCodes: Readonly<Record<DataType, number>> = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
};

/** The ModelProto of `graph`. */
export function encodeModel(graph: Graph, { parametersAs }: EncodeOptions): Uint8Array {
  const model = new BinaryWriter();
  model.tag(1, WireType.Varint).int64(irVersion);
  model.tag(2, WireType.LengthDelimited).string('likeness');
  message(model, 7, (w) => {
    encodeGraph(w, graph, parametersAs);
  });
  message(model, 8, (w) => w.tag(2, WireType.Varint).int64(opsetVersion)); // the default domain
  for (const domain of new Set(graph.nodes.flatMap(({ op }) => ops[op].domain ?? [])))
    message(model, 8, (w) => {
      string(w, 1, domain);
      w.tag(2, WireType.Varint).int64(1);
    });
  return model.finish();
}

function encodeGraph(w: BinaryWriter, graph: Graph, parametersAs: EncodeOptions['parametersAs']): void {
  for (const node of weightCastsFirst(graph)) encodeNode(w, node);
  string(w, 2, graph.name);
  for (const constant of graph.constants) encodeConstant(w, constant);
  for (const node of graph.nodes) for (const constant of constantInputs(node)) encodeConstant(w, constant);
  if (parametersAs !== 'inputs')
    for (const parameter of graph.parameters) encodeExternal(w, parameter, parametersAs(parameter.name));
  for (const input of graph.inputs) encodeValueInfo(w, 11, input);
  if (parametersAs === 'inputs') for (const parameter of graph.parameters) encodeValueInfo(w, 11, parameter);
  for (const output of graph.outputs) encodeValueInfo(w, 12, output);
}

/**
 * ORT goes from the outputs to what they need, of a node's inputs first to the one that stands last in the file. Casts of weights stand
 * first, so that they run right before their use: otherwise they run at the very beginning, and all float32 copies live at once. So
 * does what makes numbers of quantized weights.
 */
function weightCastsFirst({ nodes, parameters }: Graph): readonly Node[] {
  const names = new Set(parameters.map(({ name }) => name));
  const isWeightCast = ({ op, inputs }: Node) =>
    (op === 'Cast' || op === 'GatherBlockQuantized') && names.has(inputs[0]!.name);
  return [...nodes.filter(isWeightCast), ...nodes.filter((node) => !isWeightCast(node))];
}

function encodeNode(w: BinaryWriter, node: Node): void {
  message(w, 1, (n) => {
    const inputs = node.inputs.map((value) => value?.name ?? '');
    for (const { index, constant } of constantInputs(node)) {
      while (inputs.length < index) inputs.push('');
      inputs[index] = constant;
    }
    for (const input of inputs) string(n, 1, input);
    for (const output of node.outputs) string(n, 2, output.name);
    string(n, 3, node.outputs[0]!.name);
    string(n, 4, node.op);
    const { domain } = ops[node.op];
    if (domain) string(n, 7, domain);
    for (const [name, value] of Object.entries(node.attributes)) {
      const encoding = encodingOf(node, name);
      if (typeof encoding === 'string') encodeAttribute(n, name, value, encoding);
    }
  });
}

function encodingOf(node: Node, attribute: string): AttributeEncoding {
  return (ops[node.op].encoding as Record<string, AttributeEncoding>)[attribute]!;
}

type ConstantInput = Constant & { readonly index: number; readonly constant: string };

/** The initializers that stand for the attributes which ONNX takes as inputs. */
function constantInputs(node: Node): ConstantInput[] {
  return Object.entries(node.attributes).flatMap(([name, value]): ConstantInput[] => {
    const encoding = encodingOf(node, name);
    if (typeof encoding === 'string') return [];
    const numbers = value as readonly number[];
    const constant = `${node.outputs[0]!.name}.${name}`;
    return [
      {
        index: encoding.input,
        constant,
        value: { name: constant, type: encoding.as, shape: [numbers.length] },
        data: encoding.as === 'int64' ? BigInt64Array.from(numbers, BigInt) : Float32Array.from(numbers),
      },
    ];
  });
}

/** AttributeProto: name 1, f 2, i 3, s 4, ints 8, type 20. */
function encodeAttribute(
  w: BinaryWriter,
  name: string,
  value: unknown,
  encoding: AttributeEncoding & string,
): void {
  message(w, 5, (a) => {
    string(a, 1, name);
    switch (encoding) {
      case 'float':
        a.tag(2, WireType.Bit32).float(value as number);
        a.tag(20, WireType.Varint).int32(1);
        break;
      case 'int':
        a.tag(3, WireType.Varint).int64(value as number);
        a.tag(20, WireType.Varint).int32(2);
        break;
      case 'type':
        a.tag(3, WireType.Varint).int64(typeCodes[value as DataType]);
        a.tag(20, WireType.Varint).int32(2);
        break;
      case 'string':
        string(a, 4, value as string);
        a.tag(20, WireType.Varint).int32(3);
        break;
      case 'ints':
        for (const item of value as readonly number[]) a.tag(8, WireType.Varint).int64(item);
        a.tag(20, WireType.Varint).int32(7);
        break;
    }
  });
}

/** TensorProto: dims 1, data_type 2, name 8, raw_data 9, external_data 13, data_location 14. */
function encodeTensor(w: BinaryWriter, value: Value, data: (t: BinaryWriter) => void): void {
  message(w, 5, (t) => {
    for (const dim of value.shape) t.tag(1, WireType.Varint).int64(dim);
    t.tag(2, WireType.Varint).int32(typeCodes[value.type]);
    string(t, 8, value.name);
    data(t);
  });
}

function encodeConstant(w: BinaryWriter, { value, data }: Constant): void {
  encodeTensor(w, value, (t) =>
    t.tag(9, WireType.LengthDelimited).bytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
  );
}

function encodeExternal(w: BinaryWriter, value: Value, { location, offset, length }: ExternalLocation): void {
  encodeTensor(w, value, (t) => {
    for (const [key, text] of Object.entries({ location, offset, length })) {
      message(t, 13, (entry) => {
        string(entry, 1, key);
        string(entry, 2, String(text));
      });
    }
    t.tag(14, WireType.Varint).int32(1);
  });
}

/** ValueInfoProto: name 1, type 2 { tensor_type 1 { elem_type 1, shape 2 { dim 1 { dim_value 1 } } } }. */
function encodeValueInfo(w: BinaryWriter, field: number, value: Value): void {
  message(w, field, (v) => {
    string(v, 1, value.name);
    message(v, 2, (type) => {
      message(type, 1, (tensor) => {
        tensor.tag(1, WireType.Varint).int32(typeCodes[value.type]);
        message(tensor, 2, (shape) => {
          encodeDims(shape, value.shape);
        });
      });
    });
  });
}

function encodeDims(w: BinaryWriter, shape: Shape): void {
  for (const dim of shape) message(w, 1, (d) => d.tag(1, WireType.Varint).int64(dim));
}

function string(w: BinaryWriter, field: number, text: string): void {
  w.tag(field, WireType.LengthDelimited).string(text);
}

function message(w: BinaryWriter, field: number, write: (w: BinaryWriter) => void): void {
  w.tag(field, WireType.LengthDelimited).fork();
  write(w);
  w.join();
}
