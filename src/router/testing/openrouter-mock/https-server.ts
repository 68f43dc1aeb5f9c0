// The mock behind a real HTTPS server on an origin of its own, with a certificate that it makes for itself.
import { createServer } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { generate } from 'selfsigned';
import { assert } from '../../../base/assert';

export type HttpsServer = {
  /** 'https://127.0.0.1:40123' */
  readonly origin: string;
  readonly port: number;
  /** The certificate (PEM), for clients that are told to trust it; browsers are told to ignore such errors. */
  readonly certificate: string;
  close(): Promise<void>;
};

/** Serves `handle` on 127.0.0.1. A client that leaves aborts the request's signal; a body that fails breaks the connection. */
export async function serveHttps(
  handle: (request: Request) => Promise<Response>,
  port = 0,
): Promise<HttpsServer> {
  const names = [
    { type: 2 as const, value: 'localhost' },
    { type: 2 as const, value: 'openrouter.ai' },
    { type: 7 as const, ip: '127.0.0.1' },
  ];
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'openrouter.ai' }], {
    keyType: 'ec',
    extensions: [{ name: 'subjectAltName', altNames: names }],
  });
  const server = createServer({ key, cert }, (incoming, outgoing) => {
    answer(handle, incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address() as AddressInfo;
  return {
    origin: `https://127.0.0.1:${address.port}`,
    port: address.port,
    certificate: cert,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

async function answer(
  handle: (request: Request) => Promise<Response>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  outgoing.on('close', () => gone.abort());
  const { method = 'GET', url = '/', headers } = incoming;
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) {
    assert(chunk instanceof Buffer, 'a body is bytes');
    chunks.push(chunk);
  }
  const request = new Request(`https://${headers.host ?? 'localhost'}${url}`, {
    method,
    headers: Object.entries(headers).flatMap(([name, value]) =>
      typeof value === 'string' ? [[name, value] as [string, string]] : [],
    ),
    body: chunks.length === 0 ? null : Buffer.concat(chunks),
    signal: gone.signal,
  });
  const response = await handle(request);
  outgoing.writeHead(response.status, [...response.headers].flat());
  outgoing.flushHeaders();
  for await (const chunk of response.body ?? []) {
    if (!outgoing.write(chunk))
      await new Promise((resolve) => outgoing.once('drain', resolve).once('close', resolve));
  }
  outgoing.end();
}
