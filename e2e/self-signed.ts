// A certificate for a test server, made when it starts, for browsers that are told to accept it. No key lies in the repository.
import { generate } from 'selfsigned';

/** A key and a certificate for `host`, both PEM. */
export async function selfSigned(host: string): Promise<{ readonly key: string; readonly cert: string }> {
  const { private: key, cert } = await generate([{ name: 'commonName', value: host }], { keyType: 'ec' });
  return { key, cert };
}
