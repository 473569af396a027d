// What our servers serve TLS with: TLS_CERT and TLS_KEY name PEM files, otherwise a pair for
// loopback is made now. TLS_MIN and TLS_MAX are versions, such as TLSv1.2.
import { readFileSync } from 'node:fs';

const { TLS_CERT, TLS_KEY, TLS_MIN, TLS_MAX } = process.env;

const DNS_NAME = 2;
const IP_ADDRESS = 7;

async function madePair() {
  // Only who needs it has to have it installed.
  const { generate } = await import('selfsigned');
  const altNames = [
    { type: DNS_NAME, value: 'localhost' },
    { type: IP_ADDRESS, ip: '127.0.0.1' },
  ];
  const made = await generate([{ name: 'commonName', value: 'localhost' }], {
    algorithm: 'sha256',
    keyType: 'ec',
    extensions: [{ name: 'subjectAltName', altNames }],
  });
  return { cert: made.cert, key: made.private };
}

export async function serverTls() {
  const given = TLS_CERT && TLS_KEY;
  const pair = given
    ? { cert: readFileSync(TLS_CERT), key: readFileSync(TLS_KEY) }
    : await madePair();
  return {
    ...pair,
    ...(TLS_MIN && { minVersion: TLS_MIN }),
    ...(TLS_MAX && { maxVersion: TLS_MAX }),
  };
}
