// A refusal as OpenAI's clients expect it: JSON of their error shape, and the word that trying again is of no use.

export type Refusal = { readonly status: number; readonly code: string; readonly message: string };

const types: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  500: 'server_error',
  503: 'server_error',
};

/** The response of an endpoint that does not pass a request on. */
export function refuse({ status, code, message }: Refusal): Response {
  const error = { message, type: types[status] ?? 'invalid_request_error', param: null, code };
  const headers = { 'x-request-id': `req-${crypto.randomUUID()}`, 'x-should-retry': 'false' };
  return Response.json({ error }, { status, headers });
}
