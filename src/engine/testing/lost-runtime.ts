// A runtime whose device goes away once, as a GPU does when its driver restarts.
import { AppError } from '../../base/errors';
import type { Runtime } from '../../runtime/runtime';

/** `runtime`, until call `fatalRun` (1-based) of programs labelled `label`: it and every later call reject with 'device-lost'. */
export function losing(runtime: Runtime, label: string, fatalRun: number): Runtime {
  let runs = 0;
  let tell: (reason: string) => void;
  const lost = new Promise<string>((resolve) => {
    tell = resolve;
  });
  return {
    ...runtime,
    lost,
    compile: async (name, graph, parameters) => {
      const program = await runtime.compile(name, graph, parameters);
      const run: typeof program.run = (inputs, into) => {
        if (name === label) runs++;
        if (runs < fatalRun) return program.run(inputs, into);
        setTimeout(() => {
          tell('gone'); // later than the failure, as it may be
        });
        return Promise.reject(new AppError('device-lost', { what: name }));
      };
      return { ...program, run };
    },
  };
}
