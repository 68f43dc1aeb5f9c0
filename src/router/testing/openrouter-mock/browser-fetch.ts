// A fetch for Node that allows what a browser allows a page of another origin (Fetch standard, CORS protocol): a preflight first, only
// exposed headers readable, redirects by `redirect`. With it a unit test fails where a page would.

const simpleHeaders = new Set(['accept', 'accept-language', 'content-language']);
const simpleTypes = new Set(['text/plain', 'multipart/form-data', 'application/x-www-form-urlencoded']);
const readable = new Set(['cache-control', 'content-language', 'content-length', 'content-type', 'expires']);

function isSimple(name: string, value: string): boolean {
  if (name === 'content-type') return simpleTypes.has(value.split(';')[0]!.trim().toLowerCase());
  return simpleHeaders.has(name);
}

const namesIn = (list: string | null) => (list ?? '').toLowerCase().split(/\s*,\s*/);

async function askLeave(handle: (request: Request) => Promise<Response>, request: Request): Promise<void> {
  const asked = [...request.headers].filter(([name, value]) => !isSimple(name, value)).map(([name]) => name);
  if (asked.length === 0 && ['GET', 'HEAD', 'POST'].includes(request.method)) return;
  const answer = await handle(
    new Request(request.url, {
      method: 'OPTIONS',
      headers: {
        'Access-Control-Request-Method': request.method,
        'Access-Control-Request-Headers': asked.sort().join(','),
      },
    }),
  );
  const allowed = namesIn(answer.headers.get('Access-Control-Allow-Headers'));
  const refused = asked.filter((name) => !allowed.includes(name));
  if (!answer.ok || answer.headers.get('Access-Control-Allow-Origin') !== '*' || refused.length > 0) {
    throw new TypeError(`Failed to fetch: preflight refused ${refused.join(', ')}`);
  }
}

/** A page's `fetch` to the server that `handle` is. Credentials are not modelled: a wildcard origin forbids them. */
export function createBrowserFetch(handle: (request: Request) => Promise<Response>): typeof globalThis.fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    request.signal.throwIfAborted();
    if (request.credentials === 'include') throw new TypeError('Failed to fetch: credentials with "*"');
    await askLeave(handle, request);
    request.signal.throwIfAborted();
    const answer = await handle(request);
    if (answer.headers.has('Location') && request.redirect === 'error') {
      throw new TypeError('Failed to fetch: redirected');
    }
    if (answer.headers.get('Access-Control-Allow-Origin') !== '*') throw new TypeError('Failed to fetch');
    const exposed = namesIn(answer.headers.get('Access-Control-Expose-Headers'));
    const headers = [...answer.headers].filter(([name]) => readable.has(name) || exposed.includes(name));
    return new Response(answer.body, { status: answer.status, headers });
  };
}
