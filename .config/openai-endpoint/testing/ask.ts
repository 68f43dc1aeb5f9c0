// Requests with exactly the headers that a test names: fetch would refuse to set Host, Origin and Sec-Fetch-Site.
import { request, type RequestOptions } from 'node:http';

export type Answer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
};

/** What a client with this key sends along. */
export const jsonHeaders = (key: string) => ({
  authorization: `Bearer ${key}`,
  'content-type': 'application/json',
});

/** One request over a socket of its own kind; the whole answer. Rejects where the answer breaks off. */
export function ask(
  port: number,
  path: string,
  options: RequestOptions = {},
  body?: string | Uint8Array,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }));
      response.on('error', reject);
    });
    sent.on('error', reject).end(body);
  });
}
