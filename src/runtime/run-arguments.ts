// What both runtimes check before a call reaches ORT: that names, types and shapes are the graph's.
import { assert } from '../base/assert';
import type { Graph, Value } from '../onnx/graph';
import type { DeviceTensor, Parameters } from './runtime';

type Tensors = Readonly<Record<string, DeviceTensor>>;

/** Fails unless every input is there and fits, and `into` names outputs that fit and are no inputs. */
export function checkRun(graph: Graph, inputs: Tensors, into: Tensors): void {
  for (const value of graph.inputs) checkTensor(graph, value, inputs[value.name]);
  const given = Object.keys(inputs).length;
  assert(
    given === graph.inputs.length,
    `${graph.name} has ${graph.inputs.length} inputs, ${given} were given`,
  );
  const fed = new Set(Object.values(inputs));
  for (const [name, tensor] of Object.entries(into)) {
    const value = graph.outputs.find((output) => output.name === name);
    assert(value, `${graph.name} has no output ${name}`);
    checkTensor(graph, value, tensor);
    assert(!fed.has(tensor), `${graph.name}: output ${name} would go into an input`);
  }
  assert(
    new Set(Object.values(into)).size === Object.keys(into).length,
    `${graph.name}: two outputs would go into one tensor`,
  );
}

function checkTensor(graph: Graph, value: Value, tensor: DeviceTensor | undefined): void {
  const text = tensor ? `${tensor.type} [${tensor.shape.join()}]` : 'missing';
  const wanted = `${value.type} [${value.shape.join()}]`;
  assert(text === wanted, `${graph.name}: ${value.name} is ${text}, not ${wanted}`);
}

/** The one of `loaded` that has the parameter `name`, as the runtime's own class. */
export function owner<T extends Parameters>(
  loaded: readonly Parameters[],
  name: string,
  kind: abstract new (...args: never[]) => T,
): T {
  const found = loaded.find((parameters) => parameters.has(name));
  assert(found instanceof kind, `parameter ${name} is ${found ? 'of another runtime' : 'not loaded'}`);
  return found;
}
