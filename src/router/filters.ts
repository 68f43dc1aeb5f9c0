// The body field `router` (`extra_body` in Python): how a client narrows the choice. Never sent upstream.
import { z } from 'zod';
import type { Model } from './model-record';

const names = z.array(z.string().max(200)).max(200);
const billions = z.number().nonnegative();

export const filtersSchema = z.strictObject({
  /** Tokens of context at least. */
  context: z.int().nonnegative().optional(),
  /** Total parameters in billions; a model of unknown count passes unless `known`. */
  parameters: z
    .strictObject({ min: billions.optional(), max: billions.optional(), known: z.boolean().optional() })
    .optional(),
  /** Only models of these authors ("google"). */
  authors: names.optional(),
  /** Never these ids or authors. */
  exclude: names.optional(),
  /** Factors by id; 0 leaves a model out. */
  weights: z.record(z.string(), z.number().nonnegative().max(1000)).optional(),
  /** A conversation's name: its requests stay with one model until that fails. */
  sticky: z.string().min(1).max(200).optional(),
  /** Makes the choice repeatable. */
  seed: z.int().nonnegative().optional(),
  /** Of a conversation that no model holds: refuse (default), or leave out the oldest turns. */
  overflow: z.enum(['error', 'trim']).optional(),
});

export type Filters = z.infer<typeof filtersSchema>;

/** The person's factor for a model: 1 unless told otherwise. */
export function ownWeight(filters: Filters, id: string): number {
  const { weights } = filters;
  return weights && Object.hasOwn(weights, id) ? (weights[id] ?? 1) : 1;
}

/** True where the filters let a model through. */
export function passesFilters(model: Model, filters: Filters): boolean {
  const { context = 0, parameters, authors, exclude = [] } = filters;
  return (
    model.contextLength >= context &&
    (authors === undefined || authors.includes(model.author)) &&
    !exclude.includes(model.id) &&
    !exclude.includes(model.author) &&
    ownWeight(filters, model.id) > 0 &&
    (parameters === undefined ||
      (model.parameters === null
        ? parameters.known !== true
        : model.parameters.total >= (parameters.min ?? 0) &&
          model.parameters.total <= (parameters.max ?? Infinity)))
  );
}
