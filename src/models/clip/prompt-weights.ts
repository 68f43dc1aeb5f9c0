// The prompt syntax of AUTOMATIC1111's web UI, as its wiki documents it under "Attention/emphasis" and "BREAK keyword": (word) counts 1.1
// times as much, (word:1.2) 1.2 times, [word] 1.1 times less, nested ones multiply, a backslash makes a bracket a plain letter, and BREAK
// goes on in the next chunk of tokens.

/** Text that counts `weight` times, or the end of a chunk. */
export type PromptPart = { readonly text: string; readonly weight: number } | 'break';

const emphasis = 1.1;

const breaks = /\s*\bBREAK\b\s*/;

// An escaped letter or a lone backslash; a weight with its bracket; a bracket; any other letters.
const token =
  /\\(?<letter>[()[\]\\]?)|:\s*(?<weight>[+-]?(?:\d+\.?\d*|\.\d+))\s*\)|(?<bracket>[()[\]])|[^\\()[\]:]+|:/g;

/**
 * The parts of a prompt in their order; neighbours of one weight are one part, for the tokenizer sees words only within a part.
 * A bracket that nothing closes reaches to the end; one that closes nothing is text. A lone backslash is dropped.
 */
export function parsePromptWeights(prompt: string): readonly PromptPart[] {
  const parts: ({ text: string; weight: number } | 'break')[] = [];
  const open: { readonly bracket: string; readonly start: number }[] = [];
  const scale = (start: number, factor: number) => {
    for (const part of parts.slice(start)) if (part !== 'break') part.weight *= factor;
  };
  /** Ends the innermost bracket of its kind; false where none is open. */
  const close = (bracket: string, factor: number): boolean => {
    const index = open.findLastIndex((one) => one.bracket === bracket);
    if (index < 0) return false;
    for (const { start } of open.splice(index, 1)) scale(start, factor);
    return true;
  };
  const read = ({ 0: text, groups: { letter, weight, bracket } = {} }: RegExpExecArray): void => {
    if (letter !== undefined) parts.push({ text: letter, weight: 1 });
    else if (bracket === '(' || bracket === '[') open.push({ bracket, start: parts.length });
    else if (weight !== undefined && close('(', Number(weight))) return;
    else if (bracket === ')' && close('(', emphasis)) return;
    else if (bracket === ']' && close('[', 1 / emphasis)) return;
    else parts.push({ text, weight: 1 });
  };
  prompt.split(breaks).forEach((section, i) => {
    if (i > 0) parts.push('break');
    for (const match of section.matchAll(token)) read(match);
  });
  for (const { bracket, start } of open) scale(start, bracket === '(' ? emphasis : 1 / emphasis);
  return merge(parts);
}

function merge(parts: readonly PromptPart[]): readonly PromptPart[] {
  const merged: PromptPart[] = [];
  for (const part of parts) {
    const last = merged.at(-1);
    if (part !== 'break' && last !== undefined && last !== 'break' && last.weight === part.weight)
      merged[merged.length - 1] = { text: last.text + part.text, weight: part.weight };
    else if (part === 'break' || part.text !== '') merged.push(part);
  }
  return merged;
}
