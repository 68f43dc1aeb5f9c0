// What a training step keeps and what it computes twice: the tiers of memory, from the fastest to the smallest.
import type { SegmentSize } from '../autodiff/segments';

export type Tier = 'fast' | 'balanced' | 'tight';

/**
 * `segments`: where the step is cut, undefined where it is one graph. `largestBytes`: attention scores above it are computed in
 * pieces. 64 MiB are one head of 64 × 64 pixels: smaller pieces save little, since the layers beside hold as much.
 */
export const tierPlans: Readonly<
  Record<Tier, { readonly segments: SegmentSize | undefined; readonly largestBytes: number }>
> = {
  fast: { segments: undefined, largestBytes: Infinity },
  balanced: { segments: 'block', largestBytes: Infinity },
  tight: { segments: 'part', largestBytes: 64 * 2 ** 20 },
};

export const tierNames = Object.keys(tierPlans) as readonly Tier[];
