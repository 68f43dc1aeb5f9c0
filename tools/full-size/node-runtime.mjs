// A runtime on onnxruntime-node's CPU that keeps memory as WebGPU does: one copy of each weight, float16, fed as an input. It lets go
// of everything as soon as it can, so that the peak of the process says what a step holds.
import * as ort from 'onnxruntime-node';
import { encodeModel } from '../../src/onnx/encode';
import { byteSizeOf, sizeOf } from '../../src/onnx/graph';
import { readParameter } from '../../src/runtime/parameter-data';
import { arrayTypes } from '../../src/runtime/tensor-data';

const options = {
  executionProviders: ['cpu'],
  intraOpNumThreads: 2,
  logSeverityLevel: 3,
  enableCpuMemArena: false, // an arena keeps what was freed
  enableMemPattern: false,
};

export function createNodeRuntime({ weightType }) {
  const tensorOf = (type, shape, data) => ({
    type,
    shape,
    data,
    sizeBytes: byteSizeOf({ type, shape }),
    dispose() {
      this.data = undefined;
    },
  });
  const upload = (_label, type, shape, data) => tensorOf(type, shape, data);
  const zeros = (_label, type, shape) => tensorOf(type, shape, new arrayTypes[type](sizeOf(shape)));

  async function loadParameters(component, sources) {
    const tensors = new Map();
    for (const source of sources) {
      const data = new arrayTypes[source.storedAs](sizeOf(source.shape));
      const all = new Uint8Array(data.buffer);
      for await (const { offset, bytes } of readParameter(source)) all.set(bytes, offset);
      tensors.set(source.name, tensorOf(source.storedAs, source.shape, data));
    }
    return { component, tensors, has: (name) => tensors.has(name), dispose: () => tensors.clear() };
  }

  async function compile(_label, graph, parameters) {
    const model = encodeModel(graph, { parametersAs: 'inputs' });
    const session = await ort.InferenceSession.create(model, options);
    const toOrt = ({ type, data, shape }) => new ort.Tensor(type, data, shape);
    const weights = graph.parameters.map(({ name }) => [
      name,
      parameters.find((one) => one.has(name)).tensors.get(name),
    ]);
    return {
      name: graph.name,
      run: async (inputs, into = {}) => {
        const fed = graph.inputs.map(({ name }) => [name, inputs[name]]);
        const feeds = Object.fromEntries([...weights, ...fed].map(([name, tensor]) => [name, toOrt(tensor)]));
        const results = await session.run(feeds);
        const outputs = {};
        for (const { name, type, shape } of graph.outputs) {
          const { data } = results[name];
          if (into[name]) into[name].data = data;
          outputs[name] = into[name] ?? tensorOf(type, shape, data);
        }
        globalThis.gc(); // what was disposed since the last call
        return outputs;
      },
      dispose: () => session.release(),
    };
  }

  return {
    backend: 'webgpu',
    threads: 2,
    adapter: 'onnxruntime-node',
    memoryLimitBytes: Infinity,
    largestTensorBytes: Infinity,
    dispatchesHeld: 0,
    weightType,
    lost: new Promise(() => {}),
    loadParameters,
    compile,
    upload,
    zeros,
    read: async ({ data }) => data,
    memory: () => ({}),
    dispose: async () => {},
  };
}
