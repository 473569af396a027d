// Copies of keys are overwritten when native code has what it needs.
import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Loop } from 'ringpoll';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { native } from '../../lib/runtime/native.js';
import { checkClientTls } from '../../lib/tls/client_options.js';
import { secureContext } from '../../lib/tls/secure_context.js';
import { checkServerTls } from '../../lib/tls/server_options.js';
import { connectPeer } from '../support/peer.js';
import { dial, portOf, serve } from '../support/serve.js';
import { NAME } from '../support/tls/both.js';
import { first, PFX_PASSPHRASE, pfx } from '../support/tls/credentials.js';

/** The secrets that native code is given from now on. */
function secretsGiven(): Uint8Array[] {
  const given: Uint8Array[] = [];
  const make = native().tlsContext;
  const spy = vi.spyOn(native(), 'tlsContext').mockImplementation((options) => {
    for (const { bytes, passphrase } of [...options.keys, ...options.pfx]) {
      expect(bytes.some((byte) => byte !== 0)).toBe(true);
      given.push(bytes);
      if (passphrase !== undefined) given.push(passphrase);
    }
    return make(options);
  });
  onTestFinished(() => spy.mockRestore());
  return given;
}

const isWiped = (bytes: Uint8Array) => bytes.every((byte) => byte === 0);

describe('copies of keys', () => {
  const key = Buffer.from(first.key);

  it.each([
    ['a listener, from text', () => checkServerTls(first)],
    ['a listener, from bytes', () => checkServerTls({ ...first, key })],
    ['a name of a listener', () => checkServerTls({ ...first, sni: { 'b.example': first } })],
    ['a pfx with its passphrase', () => checkServerTls({ pfx, passphrase: PFX_PASSPHRASE })],
    ['a client', () => checkClientTls({ ...first, key }, 'localhost')],
  ])('of %s are overwritten', (_what, make) => {
    const given = secretsGiven();
    make();
    expect(given.length).toBeGreaterThan(0);
    expect(given.filter((bytes) => !isWiped(bytes))).toEqual([]);
    expect(String(key)).toBe(first.key);
  });

  it('are overwritten when what they belong to is refused', () => {
    const given = secretsGiven();
    expect(() => checkServerTls({ ...first, ciphers: 'NONE-OF-THESE' })).toThrow();
    expect(() => checkServerTls({ ...first, minVersion: 'TLSv1.3', crl: 'x' })).toThrow();
    expect(given.filter((bytes) => !isWiped(bytes))).toEqual([]);
  });

  it('that were read from files are', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ringpoll-tls-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const [certFile, keyFile] = [join(folder, 'own.crt'), join(folder, 'own.key')];
    writeFileSync(certFile, first.cert);
    writeFileSync(keyFile, first.key);
    const given = secretsGiven();
    checkServerTls({ certFile, keyFile });
    expect(given).toHaveLength(1);
    expect(given.filter((bytes) => !isWiped(bytes))).toEqual([]);
  });

  it('of a context for both sides are when it has been both', () => {
    const given = secretsGiven();
    const changed = Buffer.from(first.key);
    const context = secureContext({ ...first, key: changed });
    changed.fill(0); // which is the program's own business
    checkServerTls(context);
    checkClientTls(context, 'localhost');
    expect(given).toHaveLength(2);
    expect(given.filter((bytes) => !isWiped(bytes))).toEqual([]);
  });
});

describe('what a program tells of itself', () => {
  it('has no key, no passphrase and no ticket key in it', async () => {
    const ticketKeys = Buffer.from('0123456789abcdef'.repeat(3));
    const passphrase = 'pass-7f3a-phrase';
    const pem = createPrivateKey(first.key)
      .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase })
      .toString();
    const tls = { cert: first.cert, key: { pem, passphrase }, ticketKeys };
    const errors: Error[] = [];
    const listener = serve({ tls, tlsError: (error) => errors.push(error) });
    const peer = await connectPeer({ port: portOf(listener) });
    peer.send('nothing of TLS');
    await peer.untilOver();
    const { readyState } = await dial({
      port: portOf(listener),
      tls: { ca: first.cert, servername: NAME, ...first },
    });
    expect(readyState).toBe('open');
    await vi.waitFor(() => expect(errors).toHaveLength(1), 10_000);
    const loop = Loop.current();
    const told = inspect(
      [loop.explain(), loop.metrics(), loop.capabilities, listener, listener.metrics(), errors],
      { depth: 10, showHidden: true, maxStringLength: null },
    );
    const secrets = [
      ...[first.key, pem]
        .flatMap((text) => text.split('\n'))
        .filter((line) => /^\w.{39}/.test(line)),
      ...[passphrase, String(ticketKeys), ticketKeys.toString('hex')],
    ];
    expect(told.length).toBeGreaterThan(1000);
    expect(secrets.filter((secret) => told.includes(secret))).toEqual([]);
  });
});
