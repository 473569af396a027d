// OCSP stapling (RFC 6066, section 8): the response that a client gets with the certificate.
import { connect } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { within } from '../support/recorder.js';
import { portOf } from '../support/serve.js';
import { cert, key, NAME, serveTls, VERSIONS, type Version } from '../support/tls/both.js';
import { second } from '../support/tls/credentials.js';

/** OCSPResponse of a status alone: 1 is malformedRequest, 3 tryLater (RFC 6960, section 4.2.1). */
const responseOf = (status: number) => Buffer.of(0x30, 0x03, 0x0a, 0x01, status);
const [FIRST, OTHER] = [responseOf(1), responseOf(3)];

/** What node:tls is given in a handshake: null when there is none. */
function stapledBy(port: number, version: Version, servername = NAME): Promise<Buffer | null> {
  return within(
    new Promise<Buffer | null>((resolve, reject) => {
      const socket = connect({
        ...{ host: '127.0.0.1', port, servername, rejectUnauthorized: false, requestOCSP: true },
        ...{ minVersion: version, maxVersion: version },
      });
      socket.once('OCSPResponse', (response: Buffer | null) => {
        socket.destroy();
        resolve(response);
      });
      socket.once('error', reject);
    }),
    () => 'what is stapled',
  );
}

describe.each(VERSIONS)('a server with an OCSP response, %s', (version) => {
  it('staples it for clients that ask', async () => {
    const listener = serveTls({ tls: { key, cert, ocspResponse: FIRST } });
    expect(await stapledBy(portOf(listener), version)).toEqual(FIRST);
  });

  it('staples that of the name that a client asks for', async () => {
    const sni = { 'b.example': { ...second, ocspResponse: OTHER } };
    const listener = serveTls({ tls: { key, cert, ocspResponse: FIRST, sni } });
    expect(await stapledBy(portOf(listener), version)).toEqual(FIRST);
    expect(await stapledBy(portOf(listener), version, 'b.example')).toEqual(OTHER);
  });

  it('staples another one after a reload, and none when there is none', async () => {
    const listener = serveTls({ tls: { key, cert, ocspResponse: FIRST } });
    listener.setSecureContext({ key, cert, ocspResponse: OTHER });
    expect(await stapledBy(portOf(listener), version)).toEqual(OTHER);
    listener.setSecureContext({ key, cert });
    expect(await stapledBy(portOf(listener), version)).toBeNull();
  });
});
