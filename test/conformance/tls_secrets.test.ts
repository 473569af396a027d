// Copies of keys are overwritten when native code has what it needs.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { native } from '../../lib/runtime/native.js';
import { checkClientTls } from '../../lib/tls/client_options.js';
import { secureContext } from '../../lib/tls/secure_context.js';
import { checkServerTls } from '../../lib/tls/server_options.js';
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
