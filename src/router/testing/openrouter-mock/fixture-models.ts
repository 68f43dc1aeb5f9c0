// The models of the mock: eight good free ones, one of each need, and everything that looks free and is not. Ids are made up, shapes are those
// of OpenRouter's `GET /models`. Tests may hand the mock other lists.

/** One entry of `GET /models`; tests add what else they need. */
export type MockModel = {
  readonly id: string;
  readonly canonical_slug: string;
  readonly hugging_face_id: string;
  readonly name: string;
  readonly created: number;
  readonly description: string;
  readonly context_length: number | null;
  readonly architecture: {
    readonly modality: string;
    readonly input_modalities: readonly string[];
    readonly output_modalities: readonly string[];
    readonly tokenizer: string;
    readonly instruct_type: string | null;
  };
  readonly pricing: Readonly<Record<string, string>>;
  readonly top_provider: {
    readonly context_length: number | null;
    readonly max_completion_tokens: number | null;
    readonly is_moderated: boolean;
  };
  readonly per_request_limits: null;
  readonly supported_parameters: readonly string[];
  readonly default_parameters: Readonly<Record<string, number | null>>;
  readonly knowledge_cutoff: string | null;
  readonly expiration_date: string | null;
  readonly links: { readonly details: string };
  readonly [unknownField: string]: unknown;
};

type Traits = {
  readonly context?: number | null;
  readonly maxOutput?: number | null;
  readonly input?: readonly string[];
  readonly output?: readonly string[];
  readonly parameters?: readonly string[];
  readonly pricing?: Readonly<Record<string, string>>;
  readonly expires?: string;
  readonly huggingFaceId?: string;
  readonly extra?: Readonly<Record<string, unknown>>;
};

const free = { prompt: '0', completion: '0' };
const sampling = ['max_tokens', 'temperature', 'top_p', 'stop', 'seed'];
const tools = ['tools', 'tool_choice', 'parallel_tool_calls'];
const schema = ['response_format', 'structured_outputs'];
const reasoning = ['reasoning', 'include_reasoning'];

/** A model with the named traits; everything else is plain: text to text, 128 k tokens, free. */
export function mockModel(id: string, traits: Traits = {}): MockModel {
  const { context = 131_072, maxOutput = 32_768, input = ['text'], output = ['text'] } = traits;
  const slug = `${id.replace(/:.*$/, '')}-20260402`;
  return {
    id,
    canonical_slug: slug,
    hugging_face_id: traits.huggingFaceId ?? '',
    name: `${id} by name`,
    created: 1_775_148_486,
    description: 'A model of the mock.',
    context_length: context,
    architecture: {
      modality: `${input.join('+')}->${output.join('+')}`,
      input_modalities: input,
      output_modalities: output,
      tokenizer: 'Other',
      instruct_type: null,
    },
    pricing: traits.pricing ?? free,
    top_provider: { context_length: context, max_completion_tokens: maxOutput, is_moderated: false },
    per_request_limits: null,
    supported_parameters: traits.parameters ?? sampling,
    default_parameters: { temperature: 1, top_p: null },
    knowledge_cutoff: null,
    expiration_date: traits.expires ?? null,
    links: { details: `/api/v1/models/${slug}/endpoints` },
    ...traits.extra,
  };
}

/** Eight good free models, one for each need; `everything` can do all of it. */
export const goodModels = [
  mockModel('acme/plain-8b:free'),
  mockModel('acme/eye-12b:free', { input: ['text', 'image'] }),
  mockModel('borel/tool-70b:free', { parameters: [...sampling, ...tools] }),
  mockModel('borel/schema-24b:free', { parameters: [...sampling, ...schema] }),
  mockModel('cassini/long-1t:free', { context: 1_048_576, maxOutput: 65_536 }),
  mockModel('cassini/small-3b:free', { context: 8_192, maxOutput: 2_048 }),
  mockModel('delta/thinker-30b-a3b:free', {
    parameters: [...sampling, ...reasoning],
    huggingFaceId: 'delta/Thinker-30B-A3B',
    extra: {
      reasoning: {
        mandatory: true,
        default_enabled: true,
        default_effort: 'medium',
        supported_efforts: ['high', 'medium', 'low'],
        supports_max_tokens: true,
      },
    },
  }),
  mockModel('delta/everything:free', {
    context: 262_144,
    maxOutput: null,
    input: ['image', 'text'],
    parameters: [...sampling, ...tools, ...schema, ...reasoning],
  }),
] as const;

/** What the default text list holds beside the good ones: free-looking, dying or odd. The note says why. */
export const trapModels = [
  mockModel('openrouter/free', { context: 200_000, maxOutput: null }), // a random pick, guard models included
  mockModel('openrouter/auto', { pricing: { prompt: '-1', completion: '-1' }, maxOutput: null }),
  mockModel('google/lyria-3-clip-preview', { output: ['text', 'audio'] }), // price "0", billed a clip
  mockModel('guardian/guard-content-safety:free'), // answers "safe"
  mockModel('guardian/ocr-fast:free', { input: ['text', 'image'] }),
  mockModel('acme/plain-8b:batch'),
  mockModel('~acme/latest', { extra: { alias_target: 'acme/grand-400b' } }),
  mockModel('openrouter/zeta-alpha'), // stealth: free today, unsuffixed
  mockModel('acme/expired-9b:free', { expires: '2026-01-31' }),
  mockModel('sly/fee-7b:free', { pricing: { ...free, request: '0.01' } }), // the suffix lies
  mockModel('acme/grand-400b', { pricing: { prompt: '0.000003', completion: '0.000015' } }),
] as const;

/** Free and usable, but hard on parsers. */
export const oddModels = [
  mockModel('odd/no-context:free', { context: null, maxOutput: null }),
  mockModel('odd/long-zero:free', { pricing: { prompt: '0.000000', completion: '0.000000' } }),
  mockModel('odd/new-fields:free', { extra: { quantum: { spin: [1, 2] }, reasoning: null } }),
] as const;

/** What only `output_modalities=…` shows: free and not for chat, or for pictures and paid. */
const otherModels = [
  mockModel('embed/small-embed:free', { output: ['embeddings'], context: 8_192 }),
  mockModel('embed/paid-embed', {
    output: ['embeddings'],
    pricing: { prompt: '0.0000001', completion: '0' },
  }),
  mockModel('guardian/rerank-2:free', { output: ['rerank'] }),
  mockModel('voice/speech-pro:free', { output: ['speech'] }),
  mockModel('paint/klein-4b', { output: ['image'] }), // prompt and completion are "0"; each picture costs
] as const;

/** A free model that draws; the real list has had none since 2025, so it is not in the default one. */
export const freePainter = mockModel('paint/gratis-2b:free', { output: ['image'] });

export const defaultModels: readonly MockModel[] = [
  ...goodModels,
  ...trapModels,
  ...oddModels,
  ...otherModels,
];

/** Whether a call of this id costs nothing and chats: the mock's own judgement, independent of the router's. `now` in ms. */
export function isFreeChat(model: MockModel, now: number): boolean {
  return (
    model.id.endsWith(':free') &&
    Object.values(model.pricing).every((price) => Number(price) === 0) &&
    model.architecture.output_modalities.join() === 'text' &&
    !/guard|safety|moderation|ocr|embed|rerank/.test(model.id) &&
    (model.expiration_date === null || Date.parse(model.expiration_date) > now)
  );
}
