// Free models in a few words.
import type { Capability, ModelStatus } from '../../../state/free-models-state';

const capabilityNames: Readonly<Record<Capability, string>> = {
  vision: 'vision',
  tools: 'tools',
  json: 'json',
  schema: 'schema',
  reasoning: 'reasoning',
  'image-output': 'pictures',
};

/** "vision", "tools", …, "262k", "26B". */
export function badgesOf({ capabilities, contextLength, parameters }: ModelStatus): readonly string[] {
  return [
    ...capabilities
      .filter((one) => one !== 'json' || !capabilities.includes('schema'))
      .map((one) => capabilityNames[one]),
    contextLength >= 999_500 ? `${Math.round(contextLength / 1e6)}M` : `${Math.round(contextLength / 1000)}k`,
    ...(parameters === undefined ? [] : [sizeOf(parameters.total)]),
  ];
}

const sizeOf = (billions: number): string => (billions >= 1000 ? `${billions / 1000}T` : `${billions}B`);

/** What the virtual names mean. */
export const virtualHints: Readonly<Record<string, string>> = {
  free: 'Any free model that fits, by health and speed.',
  'free:vision': 'One that looks at pictures.',
  'free:tools': 'One that can call tools.',
  'free:json': 'One that can answer in JSON.',
  'free:long': 'One with 128k tokens of context or more.',
  'free:fast': 'Any, but speed counts for more.',
};
