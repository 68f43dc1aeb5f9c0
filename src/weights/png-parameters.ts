// The text that AUTOMATIC1111 keeps in a picture under the keyword "parameters": prompt, negative prompt, one line of settings.
// Written and parsed as its modules/infotext_utils.py does.

/** The PNG keyword of the text. */
export const parametersKeyword = 'parameters';

export type ImageParameters = {
  readonly prompt: string;
  readonly negativePrompt: string; // '' = none
  /** In the order they are written: Steps, Sampler, "CFG scale", Seed, Size, Model, … */
  readonly settings: Readonly<Record<string, string>>;
};

const negativeLabel = 'Negative prompt:';
const settingPattern = /\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)/g;

/** `prompt`, then `Negative prompt: …`, then `Steps: 20, Sampler: DDIM, …`, one per line; empty parts have no line. */
export function formatParameters({ prompt, negativePrompt, settings }: ImageParameters): string {
  const line = Object.entries(settings)
    .map(([name, value]) => `${name}: ${quote(value)}`)
    .join(', ');
  const negative = negativePrompt === '' ? '' : `${negativeLabel} ${negativePrompt}`;
  return [prompt, negative, line].filter((part, i) => i === 0 || part !== '').join('\n');
}

/** The parts of such a text. A last line with fewer than three settings belongs to the prompt. */
export function parseParameters(text: string): ImageParameters {
  const lines = text.trim().split('\n');
  const found = [...(lines.at(-1) ?? '').matchAll(settingPattern)];
  const hasSettings = found.length >= 3;
  const prompts = (hasSettings ? lines.slice(0, -1) : lines).map((line) => line.trim());
  const at = prompts.findIndex((line) => line.startsWith(negativeLabel));
  const positive = at < 0 ? prompts : prompts.slice(0, at);
  const negative = at < 0 ? [] : prompts.slice(at);
  return {
    prompt: positive.join('\n'),
    negativePrompt: negative.join('\n').slice(negativeLabel.length).trim(),
    settings: hasSettings ? Object.fromEntries(found.map((match) => [match[1]!, unquote(match[2]!)])) : {},
  };
}

function quote(value: string): string {
  return /[,:\n]/.test(value) ? JSON.stringify(value) : value;
}

function unquote(value: string): string {
  if (!(value.startsWith('"') && value.endsWith('"'))) return value;
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === 'string' ? parsed : value;
  } catch {
    return value; // not JSON after all: keep what is there, as AUTOMATIC1111 does
  }
}
