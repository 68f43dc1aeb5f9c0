// Names that mean "some free model": what a program writes instead of an id. Familiar paid names mean `free`, so that an existing
// program changes its endpoint and its key only.

/** What a virtual name asks of a model beyond what the request itself needs. */
export type VirtualModel = {
  readonly needs: 'vision' | 'tools' | 'json' | 'long' | undefined;
  readonly isFast: boolean; // speed counts for more
};

const any: VirtualModel = { needs: undefined, isFast: false };

const virtualModels: Readonly<Record<string, VirtualModel>> = {
  free: any,
  'free:vision': { ...any, needs: 'vision' },
  'free:tools': { ...any, needs: 'tools' },
  'free:json': { ...any, needs: 'json' },
  'free:long': { ...any, needs: 'long' },
  'free:fast': { ...any, isFast: true },
};

const paidNames = /^(?:gpt-|chatgpt-|o\d)/i;

/** The virtual names, in the order a list shows them. */
export const virtualNames: readonly string[] = Object.keys(virtualModels);

/** Tokens of context that `free:long` asks for. */
export const longContext = 128_000;

/** What `name` means, or undefined where it is not a virtual name. */
export function virtualModel(name: string): VirtualModel | undefined {
  if (Object.hasOwn(virtualModels, name)) return virtualModels[name];
  return paidNames.test(name) ? any : undefined;
}
