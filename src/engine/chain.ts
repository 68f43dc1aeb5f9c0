// Graphs that run one after the other, as one program: what crosses is freed after its last use.
import type { Graph } from '../onnx/graph';
import { lastUsed } from '../onnx/cut';
import type { DeviceTensor, Parameters, Program, Runtime } from '../runtime/runtime';

/** Compiles the graphs of a chain (onnx/cut.ts); a chain of one is its program. */
export async function compileChain(
  runtime: Runtime,
  label: string,
  chain: readonly Graph[],
  parameters: readonly Parameters[],
): Promise<Program> {
  const programs: Program[] = [];
  const dispose = async () => {
    for (const program of programs) await program.dispose();
  };
  try {
    for (const graph of chain) programs.push(await runtime.compile(label, graph, parameters));
  } catch (error) {
    await dispose();
    throw error;
  }
  if (programs.length === 1) return programs[0]!;
  return { name: label, run: (inputs, into = {}) => runChain(chain, programs, inputs, into), dispose };
}

async function runChain(
  chain: readonly Graph[],
  programs: readonly Program[],
  inputs: Readonly<Record<string, DeviceTensor>>,
  into: Readonly<Record<string, DeviceTensor>>,
): Promise<Record<string, DeviceTensor>> {
  const held: Record<string, DeviceTensor> = {};
  const pick = (from: Readonly<Record<string, DeviceTensor>>, values: Graph['inputs']) =>
    Object.fromEntries(values.filter(({ name }) => from[name]).map(({ name }) => [name, from[name]!]));
  try {
    for (const [i, graph] of chain.entries()) {
      const fed = pick({ ...inputs, ...held }, graph.inputs);
      Object.assign(held, await programs[i]!.run(fed, pick(into, graph.outputs)));
      for (const name of lastUsed(chain, i)) {
        held[name]!.dispose();
        delete held[name];
      }
    }
    return held; // nobody needs what is left: the results
  } catch (error) {
    for (const [name, tensor] of Object.entries(held)) if (!into[name]) tensor.dispose();
    throw error;
  }
}
