// What the mock keeps of every request, for assertions.
import { z } from 'zod';
import type { BodyEnd } from './body-stream';

/** A JSON object; what is no object is an empty one. */
export type JsonObject = Readonly<Record<string, unknown>>;

export type RecordedRequest = {
  readonly method: string;
  /** Without `/api/v1`: '/chat/completions'. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly redirect: RequestRedirect;
  readonly text: string;
  readonly body: JsonObject;
  /** '' where none was sent. */
  readonly model: string;
  /** ms */
  readonly at: number;
  /** 'open' until the answer's body ended. */
  end: 'open' | BodyEnd;
  status: number | undefined;
};

const objectSchema = z.record(z.string(), z.unknown()).catch({});

function parseObject(text: string): JsonObject {
  try {
    return objectSchema.parse(JSON.parse(text));
  } catch {
    return {}; // what is no JSON is answered as such; `text` has it
  }
}

/** Reads a request. Its body is taken. */
export async function recordRequest(request: Request, path: string, at: number): Promise<RecordedRequest> {
  const text = await request.text();
  const body = parseObject(text);
  return {
    method: request.method,
    path,
    query: new URL(request.url).searchParams,
    headers: Object.fromEntries(request.headers),
    redirect: request.redirect,
    text,
    body,
    model: typeof body['model'] === 'string' ? body['model'] : '',
    at,
    end: 'open',
    status: undefined,
  };
}
