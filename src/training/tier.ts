// What a training step keeps and what it computes twice: the tiers of memory, from the fastest to the smallest.
import type { SegmentSize } from '../autodiff/segments';

export type Tier = 'fast' | 'balanced' | 'tight';

/**
 * `segments`: where the step is cut, undefined where it is one graph. `largestBytes`: attention scores above it are computed in
 * pieces: two heads of 64 × 64 latents in 128 MiB, one in 64. Smaller pieces save little, since the layers beside hold as much.
 */
export const tierPlans: Readonly<
  Record<Tier, { readonly segments: SegmentSize | undefined; readonly largestBytes: number }>
> = {
  fast: { segments: undefined, largestBytes: 128 * 2 ** 20 },
  balanced: { segments: 'block', largestBytes: 128 * 2 ** 20 },
  tight: { segments: 'part', largestBytes: 64 * 2 ** 20 },
};

export const tierNames = Object.keys(tierPlans) as readonly Tier[];
