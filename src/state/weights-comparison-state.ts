// The choices of weights, and a comparison of pictures before and after another, as the page shows them.
import type { Weights } from '../engine/contract';
import type { Failure } from './failure';

/** The choices of weights and their names. */
export const weightsLabels: Readonly<Record<Weights, string>> = {
  original: 'As they are',
  '8-bit': '8 bit',
  '4-bit': '4 bit',
};
export const weightsChoices = Object.keys(weightsLabels) as readonly Weights[];

export type WeightsComparison =
  | { readonly phase: 'idle' }
  | { readonly phase: 'running'; readonly step: 'before' | 'switch' | 'after'; readonly to: Weights }
  | {
      readonly phase: 'done';
      readonly from: Weights;
      readonly to: Weights;
      readonly before: Blob;
      readonly after: Blob;
      readonly difference: number; // mean of |before − after| over all levels, of 255
    }
  | { readonly phase: 'failed'; readonly failure: Failure };
