// The lists of the mock: `/models` with its filters and pages, `/models/user`, one model, its endpoints, and `/images/models`.
import type { MockModel } from './fixture-models';
import { errorBody, json, type Reply } from './reply';

const modalities = [
  'text',
  'image',
  'embeddings',
  'audio',
  'video',
  'rerank',
  'decisions',
  'speech',
  'transcription',
  'all',
];

const prefix = '/api/v1/models';

function zodReply(path: string, message: string): Reply {
  const issues = JSON.stringify([{ code: 'invalid_value', path: [path], message }], null, 1);
  return json(400, { success: false, error: { name: 'ZodError', message: issues } });
}

function matches(model: MockModel, query: URLSearchParams): boolean {
  const list = (name: string) => query.get(name)?.split(',') ?? [];
  const outputs = query.has('output_modalities') ? list('output_modalities') : ['text'];
  const { input_modalities: inputs, output_modalities: gives } = model.architecture;
  return (
    (outputs.includes('all') || outputs.some((output) => gives.includes(output))) &&
    list('input_modalities').every((input) => inputs.includes(input)) &&
    list('supported_parameters').every((name) => model.supported_parameters.includes(name)) &&
    (!query.has('context') || (model.context_length ?? 0) >= Number(query.get('context'))) &&
    (!query.has('max_price') || Number(model.pricing['prompt']) * 1e6 <= Number(query.get('max_price'))) &&
    (!query.has('model_authors') || list('model_authors').includes(model.id.split('/')[0]!)) &&
    `${model.id} ${model.name}`.toLowerCase().includes((query.get('q') ?? '').toLowerCase())
  );
}

/** `GET /models`, also for `/models/user` with its own list. */
export function listModels(models: readonly MockModel[], query: URLSearchParams): Reply {
  const unknown = query
    .get('output_modalities')
    ?.split(',')
    .find((name) => !modalities.includes(name));
  if (unknown !== undefined) return zodReply('output_modalities', `Invalid option: ${unknown}`);
  const found = models.filter((model) => matches(model, query));
  if (!query.has('limit') && !query.has('offset')) {
    return json(200, { data: found, total_count: found.length, links: { next: null } }, listHeaders);
  }
  const limit = Number(query.get('limit') ?? 500);
  const offset = Number(query.get('offset') ?? 0);
  if (!(limit >= 1 && limit <= 1000)) return zodReply('limit', 'Too big or too small');
  const rest = new URLSearchParams(query);
  rest.set('limit', String(limit));
  rest.set('offset', String(offset + limit));
  const next = offset + limit < found.length ? `${prefix}?${rest.toString()}` : null;
  const data = found.slice(offset, offset + limit);
  return json(200, { data, total_count: found.length, links: { next } }, listHeaders);
}

const listHeaders = {
  'Cache-Control': 'public, max-age=120, stale-while-revalidate=3600, stale-if-error=3600',
};

/** What `/endpoints` says of a model; a test sets it by id. */
export type EndpointFacts = { readonly status: number; readonly uptime: number | null };

/** `GET /model/{author}/{slug}`. */
export function oneModel(models: readonly MockModel[], id: string): Reply {
  const model = models.find((candidate) => candidate.id === id);
  return model ? json(200, { data: model }) : json(404, errorBody(404, `Model ${id} not found`));
}

/** `GET /models/{author}/{slug}/endpoints`; the id with its `:free`, or the dated slug. */
export function modelEndpoints(
  models: readonly MockModel[],
  id: string,
  facts: EndpointFacts = { status: 0, uptime: 99.8 },
): Reply {
  const model = models.find((candidate) => candidate.id === id || candidate.canonical_slug === id);
  if (!model) return json(404, errorBody(404, `Model ${id} not found`));
  const { top_provider: provider } = model;
  return json(200, {
    data: {
      id: model.id,
      name: model.name,
      created: model.created,
      description: model.description,
      architecture: model.architecture,
      endpoints: [
        {
          name: `Mock Studio | ${model.canonical_slug}`,
          model_id: model.id,
          model_name: model.name,
          context_length: model.context_length,
          max_completion_tokens: provider.max_completion_tokens,
          max_prompt_tokens: null,
          pricing: model.pricing,
          provider_name: 'Mock Studio',
          tag: 'mock-studio',
          quantization: 'unknown',
          status: facts.status,
          supported_parameters: model.supported_parameters,
          supports_tool_choice: { literal_auto: true, literal_none: true, literal_required: false },
          supports_implicit_caching: false,
          uptime_last_5m: facts.uptime,
          uptime_last_30m: facts.uptime,
          uptime_last_1d: facts.uptime,
          latency_last_30m: null,
          throughput_last_30m: null,
        },
      ],
    },
  });
}

/** `GET /images/models`. */
export function listImageModels(models: readonly MockModel[]): Reply {
  const painters = models.filter(({ architecture }) => architecture.output_modalities.includes('image'));
  return json(200, {
    data: painters.map((model) => ({
      id: model.id,
      name: model.name,
      created: model.created,
      architecture: model.architecture,
      supported_parameters: {
        output_format: { type: 'enum', values: ['png', 'jpeg'] },
        n: { type: 'range', min: 1, max: 1 },
        seed: { type: 'boolean' },
      },
    })),
  });
}

/** `GET /images/models/{author}/{slug}/endpoints`: what a picture costs. */
export function imageEndpoints(models: readonly MockModel[], id: string): Reply {
  const model = models.find((candidate) => candidate.id === id);
  if (!model?.architecture.output_modalities.includes('image')) {
    return json(404, errorBody(404, `Model ${id} not found`));
  }
  const cost = model.id.endsWith(':free') ? 0 : 0.014;
  return json(200, {
    data: {
      id: model.id,
      endpoints: [
        {
          provider_name: 'Mock Studio',
          pricing: [{ billable: 'output_image', unit: 'image', cost_usd: cost }],
        },
      ],
    },
  });
}
