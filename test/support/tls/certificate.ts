// A certificate for the tests of TLS, made when they begin: for localhost and the addresses of
// loopback, and signed by itself, so that `ca` of a client is the certificate.
import { generate } from 'selfsigned';

const DNS_NAME = 2;
const IP_ADDRESS = 7;

export interface Pair {
  cert: string;
  key: string;
}

export async function makePair(keyType: 'ec' | 'rsa' = 'ec'): Promise<Pair> {
  const made = await generate([{ name: 'commonName', value: 'localhost' }], {
    algorithm: 'sha256',
    keyType,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, keyCertSign: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: DNS_NAME, value: 'localhost' },
          { type: IP_ADDRESS, ip: '127.0.0.1' },
          { type: IP_ADDRESS, ip: '::1' },
        ],
      },
    ],
  });
  return { cert: made.cert, key: made.private };
}

/** One that the tests of a file share. */
export const pair: Pair = await makePair();
