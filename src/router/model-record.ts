// OpenRouter's Model object, lenient in what the router does not use: new fields and values ship unannounced.
import { z } from 'zod';
import { parseParameterCount } from './parameter-count';
import type { Capability, ParameterCount } from './status';

const count = z.number().nonnegative().nullish().catch(null);
const words = z.array(z.string()).catch([]);

const recordSchema = z.object({
  id: z.string(),
  name: z.string().catch(''),
  hugging_face_id: z.string().nullish().catch(null),
  created: z.number().catch(0), // s since 1970
  context_length: count,
  architecture: z.object({ input_modalities: words, output_modalities: words }),
  pricing: z.record(z.string(), z.unknown()),
  top_provider: z.object({ context_length: count, max_completion_tokens: count }).nullish().catch(null),
  supported_parameters: words,
  reasoning: z
    .object({
      mandatory: z.boolean().catch(false),
      supported_efforts: z.array(z.string()).nullish().catch(null),
    })
    .nullish()
    .catch(null),
  expiration_date: z.string().nullish().catch(null),
});

export type ModelRecord = z.infer<typeof recordSchema>;

const listSchema = z.object({ data: z.array(z.unknown()) });

/** The entries of a `GET /models` answer that have the shape of a model; throws a ZodError where the answer is no list. */
export function parseModelList(body: unknown): readonly ModelRecord[] {
  return listSchema.parse(body).data.flatMap((entry) => {
    const parsed = recordSchema.safeParse(entry);
    return parsed.success ? [parsed.data] : [];
  });
}

const dayMs = 86_400_000;

/** When the model ends, in ms since 1970: the end of its day in UTC. */
export function expiryOf({ expiration_date }: ModelRecord): number | undefined {
  const day = Date.parse(expiration_date ?? '');
  return Number.isNaN(day) ? undefined : day + dayMs;
}

/** A free model as the router uses it. Plain JSON. */
export type Model = {
  readonly id: string;
  readonly name: string;
  readonly author: string;
  readonly created: number; // s since 1970
  readonly contextLength: number; // tokens
  readonly maxOutput: number | null; // tokens; null: unknown
  readonly parameters: ParameterCount | null; // null: unknown
  readonly supported: readonly string[]; // request fields; empty: unknown
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly isReasoningMandatory: boolean;
  readonly efforts: readonly string[] | null; // of reasoning; null: unknown
  readonly expiresAt: number | null; // ms since 1970
};

/** Of a model that names no context length: what even small ones hold. */
const unknownContext = 8192;

/** The model of an eligible record. */
export function modelOf(record: ModelRecord): Model {
  const { id, top_provider: top, architecture } = record;
  return {
    id,
    name: record.name || id,
    author: id.split('/')[0] ?? '',
    created: record.created,
    contextLength: knownMinimum(record.context_length, top?.context_length) ?? unknownContext,
    maxOutput: top?.max_completion_tokens || null,
    parameters: parseParameterCount(id, record.hugging_face_id ?? undefined, record.name) ?? null,
    supported: record.supported_parameters,
    inputs: architecture.input_modalities,
    outputs: architecture.output_modalities,
    isReasoningMandatory: record.reasoning?.mandatory === true,
    efforts: record.reasoning?.supported_efforts ?? null,
    expiresAt: expiryOf(record) ?? null,
  };
}

/** True where the model takes the request field `name`. */
export function supports(model: Model, name: string): boolean {
  return model.supported.includes(name);
}

/** What the model can do, in the page's words. */
export function capabilitiesOf(model: Model): readonly Capability[] {
  const has: Readonly<Record<Capability, boolean>> = {
    vision: model.inputs.includes('image'),
    tools: supports(model, 'tools'),
    json: supports(model, 'response_format') || supports(model, 'structured_outputs'),
    schema: supports(model, 'structured_outputs'),
    reasoning: supports(model, 'reasoning'),
    'image-output': model.outputs.includes('image'),
  };
  return (Object.keys(has) as Capability[]).filter((capability) => has[capability]);
}

// Null and 0 both mean unknown on the wire.
function knownMinimum(...counts: readonly (number | null | undefined)[]): number | undefined {
  const known = counts.filter((count): count is number => typeof count === 'number' && count > 0);
  return known.length === 0 ? undefined : Math.min(...known);
}
