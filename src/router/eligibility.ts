// Which entries of OpenRouter's list are free chat models. `:free` is the only safe sign of free, and not a sufficient one:
// zero prices also stand on routers, image models billed by the image, and stealth models that log.
import { expiryOf, type ModelRecord } from './model-record';

// One suffix, and only characters that are themselves in a path.
const idPattern = /^[a-z0-9][\w.-]*\/[\w.-]+:free$/i;
// Guards answer "safe" or "unsafe", OCR models read pages, the others do not chat at all.
const deniedPattern = /guard|safety|moderation|(?:^|[^a-z])ocr(?![a-z])|embed|rerank|privacy-filter/i;

/** True for an exact free id: "author/name:free" and nothing else. */
export function isFreeId(id: string): boolean {
  return idPattern.test(id);
}

/** True where every price, of whatever unit, is zero. A price that is not a number is not free. */
export function isPriceless(pricing: ModelRecord['pricing']): boolean {
  return Object.entries(pricing).every(([unit, price]) =>
    unit === 'discount'
      ? true
      : Array.isArray(price)
        ? price.length === 0
        : (typeof price === 'number' || (typeof price === 'string' && price.trim() !== '')) &&
          Number(price) === 0,
  );
}

/** True for a model that may be sent a chat. `now` in ms since 1970. */
export function isEligible(record: ModelRecord, now: number): boolean {
  const outputs = record.architecture.output_modalities;
  return (
    isFreeId(record.id) &&
    !deniedPattern.test(record.id) &&
    'prompt' in record.pricing &&
    'completion' in record.pricing &&
    isPriceless(record.pricing) &&
    outputs.includes('text') &&
    outputs.every((output) => output === 'text' || output === 'image') &&
    record.architecture.input_modalities.includes('text') &&
    (expiryOf(record) ?? Infinity) > now
  );
}
