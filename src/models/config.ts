// Reading config.json files: what is used is checked strictly, what is not used is let through.
import type { z } from 'zod';
import { AppError } from '../base/errors';

/** The parsed config; AppError('unsupported-model') with the field and what is wrong with it otherwise. */
export function parseConfig<T>(schema: z.ZodType<T>, what: string, config: unknown): T {
  const result = schema.safeParse(config);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue?.path.join('.') ?? '';
  throw new AppError('unsupported-model', {
    reason: `${what}: ${field} ${issue?.message ?? 'is not readable'}`,
  });
}

/** A refinement of a config's schema: those of `fields` that are lists have an entry for each of `levels`. */
export const perLevel =
  <T>(levels: keyof T & string, ...fields: readonly (keyof T & string)[]) =>
  (config: T, context: z.RefinementCtx<T>): void => {
    const lengthOf = (field: keyof T) => (config[field] as readonly unknown[]).length;
    for (const field of fields)
      if (Array.isArray(config[field]) && lengthOf(field) !== lengthOf(levels))
        context.addIssue({
          code: 'custom',
          path: [field],
          message: `lists ${lengthOf(field)}, where ${levels} lists ${lengthOf(levels)}`,
        });
  };
