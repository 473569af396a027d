// Secure contexts: what is wrong with keys, certificates and options is told when they are made.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { inspect } from 'node:util';
import { Loop } from 'ringpoll';
import { SecureContext, type SecureContextOptions, secureContext } from 'ringpoll/tls';
import { describe, expect, it } from 'vitest';
import { crl, edwards, first, PFX_PASSPHRASE, pfx, second } from '../support/tls/credentials.js';

/** What is wrong on purpose: the compiler would not have it. */
const given = (options: object) => options as SecureContextOptions;

function refusalOf(options: object): Error & { code: string } {
  try {
    secureContext(given(options));
  } catch (error) {
    return error as Error & { code: string };
  }
  throw new Error('taken');
}

function expectRefusal(options: object, code: string, says: string | RegExp): void {
  const refusal = refusalOf(options);
  expect(refusal.code).toBe(`ERR_RINGPOLL_${code}`);
  expect(refusal.message).toMatch(says);
}

const derOf = (pem: string) => Buffer.from(pem.replace(/-----.*-----|\s/g, ''), 'base64');
const encrypted = createPrivateKey(first.key).export({
  type: 'pkcs8',
  format: 'pem',
  cipher: 'aes-128-cbc',
  passphrase: PFX_PASSPHRASE,
}) as string;

describe('Loop.current().capabilities.tls', () => {
  it('has the version of the OpenSSL that Node carries', () => {
    const { tls } = Loop.current().capabilities;
    expect(tls.available).toBe(true);
    expect(tls.version).toContain(`OpenSSL ${process.versions.openssl.replace(/\+.*/, '')}`);
    expect(tls.reason).toBeUndefined();
    const { RINGPOLL_TLS_RECORDS } = process.env;
    expect(tls.records).toBe(RINGPOLL_TLS_RECORDS === 'openssl' ? 'openssl' : 'ringpoll');
  });
});

describe('secureContext() takes', () => {
  it.each<[string, SecureContextOptions]>([
    ['nothing, for clients', {}],
    ['PEM as text', first],
    ['PEM as bytes', { cert: Buffer.from(first.cert), key: Buffer.from(first.key) }],
    ['DER', { cert: new X509Certificate(first.cert).raw, key: derOf(first.key) }],
    ['a chain', { cert: first.cert + second.cert, key: first.key }],
    [
      'several chains whose keys have different kinds, in any order',
      { cert: [first.cert, edwards.cert], key: [edwards.key, first.key] },
    ],
    ['an encrypted key', { ...first, key: encrypted, passphrase: PFX_PASSPHRASE }],
    [
      'a passphrase beside its key',
      { ...first, key: [{ pem: encrypted, passphrase: PFX_PASSPHRASE }], passphrase: 'another' },
    ],
    ['PKCS #12', { pfx, passphrase: PFX_PASSPHRASE }],
    ['PKCS #12 with a passphrase of its own', { pfx: [{ buf: pfx, passphrase: PFX_PASSPHRASE }] }],
    ['authorities and a list of revoked certificates', { ca: [first.cert], crl }],
    ['one version', { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' }],
    ['suites of TLS 1.3 among the ciphers', { ciphers: 'TLS_AES_128_GCM_SHA256:AES128-SHA' }],
    ['ciphers of one version', { ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' }],
    ['curves and signature algorithms', { ecdhCurve: 'X25519:P-256', sigalgs: 'ECDSA+SHA256' }],
    ['curves that OpenSSL chooses', { ecdhCurve: 'auto' }],
    ['names of protocols', { ALPNProtocols: ['h2', 'http/1.1'] }],
    ['names of protocols as bytes', { ALPNProtocols: Buffer.from('\x02h2\x08http/1.1') }],
    ['verification of clients by the roots', { ...first, requestCert: true }],
    ['verification of clients', { ...first, requestCert: true, ca: first.cert, crl }],
    ['a staple', { ...first, ocspResponse: Buffer.of(0x30, 0x03, 0x0a, 0x01, 0x00) }],
    [
      'names, also of other alphabets and with a wildcard',
      { ...first, sni: { 'B.example': second, '*.b.example': second, 'bücher.example': second } },
    ],
    ['names that are served by contexts', { ...first, sni: { b: secureContext(second) } }],
  ])('%s', (_what, options) => {
    expect(secureContext(options)).toBeInstanceOf(SecureContext);
  });
});

describe('secureContext() refuses', () => {
  it.each<[string, object, string, string | RegExp]>([
    ['a certificate alone', { cert: first.cert }, 'TLS_KEY_MISMATCH', 'cert has no private key'],
    ['a key alone', { key: first.key }, 'TLS_KEY_MISMATCH', 'key has no certificate'],
    [
      'a key of another certificate',
      { cert: first.cert, key: second.key },
      'TLS_KEY_MISMATCH',
      'key belongs to none of the certificates',
    ],
    [
      'the second key of none, by its number',
      { cert: [first.cert, edwards.cert], key: [first.key, second.key] },
      'TLS_KEY_MISMATCH',
      'options.key[1]',
    ],
    [
      'two keys of one kind',
      { cert: [first.cert, second.cert], key: [first.key, second.key] },
      'TLS_CERTIFICATE',
      'name them apart with sni',
    ],
    ['what is no certificate', { ...first, cert: 'x' }, 'TLS_CERTIFICATE', 'no certificate'],
    ['what is no key', { ...first, key: first.cert }, 'TLS_KEY', 'options.key is no private key'],
    [
      'a damaged chain',
      { ...first, cert: `${first.cert}${second.cert.slice(0, 400)}` },
      'TLS_CERTIFICATE',
      'options.cert',
    ],
    ['a missing passphrase', { ...first, key: encrypted }, 'TLS_PASSPHRASE', 'no passphrase'],
    [
      'a wrong passphrase',
      { ...first, key: encrypted, passphrase: 'tell-nobody' },
      'TLS_PASSPHRASE',
      'the passphrase is wrong',
    ],
    ['PKCS #12 without its passphrase', { pfx }, 'TLS_PASSPHRASE', 'options.pfx'],
    ['a wrong one', { pfx, passphrase: 'tell-nobody' }, 'TLS_PASSPHRASE', 'options.pfx'],
    ['what is no PKCS #12', { pfx: Buffer.from('x') }, 'TLS_PFX', 'options.pfx'],
    ['what is no authority', { ca: [first.cert, 'x'] }, 'TLS_CA', 'options.ca[1]'],
    ['what is no list of revoked ones', { crl: first.cert }, 'TLS_CRL', 'options.crl'],
    ['what is no staple', { ...first, ocspResponse: Buffer.of(1) }, 'TLS_OCSP', 'ocspResponse'],
    ['unknown ciphers', { ciphers: 'NONSENSE' }, 'TLS_CIPHERS', 'options.ciphers'],
    ['unknown suites', { ciphersuites: 'TLS_X' }, 'TLS_CIPHERS', '"TLS_X"'],
    ['unknown curves', { ecdhCurve: 'X1' }, 'TLS_CURVES', 'options.ecdhCurve'],
    ['unknown signature algorithms', { sigalgs: 'X+Y' }, 'TLS_SIGALGS', 'options.sigalgs'],
    [
      'a version without a cipher',
      { ciphers: 'TLS_AES_128_GCM_SHA256', maxVersion: 'TLSv1.2' },
      'TLS_CIPHERS',
      'no cipher for the versions',
    ],
    ['a name without a certificate', { ...first, sni: { b: {} } }, 'TLS_NO_CERTIFICATE', '"b"'],
    ['what is no name', { ...first, sni: { 'a b': second } }, 'INVALID_ARG_VALUE', 'host name'],
    ['an address as a name', { ...first, sni: { '::1': second } }, 'INVALID_ARG_VALUE', '::1'],
    ['a wildcard within a name', { sni: { 'a.*.b': second } }, 'INVALID_ARG_VALUE', 'a\\.\\*'],
    ['unknown versions', { minVersion: 'SSLv3' }, 'INVALID_ARG_VALUE', 'one of TLSv1'],
    [
      'versions the wrong way round',
      { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' },
      'INVALID_ARG_VALUE',
      'at least minVersion',
    ],
    ['an empty name of a protocol', { ALPNProtocols: [''] }, 'OUT_OF_RANGE', 'ALPNProtocols[0]'],
    ['protocols that run over', { ALPNProtocols: Buffer.of(5, 1) }, 'INVALID_ARG_VALUE', 'ALPN'],
    ['short ticket keys', { ticketKeys: Buffer.alloc(47) }, 'OUT_OF_RANGE', '48 bytes'],
    ['no ticket keys', { ticketKeys: [] }, 'OUT_OF_RANGE', '1 to 16'],
    ['nine keys', { key: Array(9).fill(first.key) }, 'OUT_OF_RANGE', 'at most 8'],
    ['a huge key', { key: Buffer.alloc(2 ** 20 + 1) }, 'OUT_OF_RANGE', 'at most 1048576 bytes'],
    ['a long passphrase', { passphrase: 'x'.repeat(1025) }, 'OUT_OF_RANGE', 'at most 1024'],
    ['a session that lives too long', { sessionTimeout: 604_801 }, 'OUT_OF_RANGE', '604800'],
    ['a number as a key', { key: 5 }, 'INVALID_ARG_TYPE', 'but is a number'],
    ['a number as requestCert', { requestCert: 1 }, 'INVALID_ARG_TYPE', 'a boolean'],
    ['alpn', { alpn: ['h2'] }, 'UNKNOWN_OPTION', 'did you mean ALPNProtocols?'],
    ['key_file_name', { key_file_name: 'x' }, 'UNKNOWN_OPTION', 'content of a file'],
    ['secureProtocol', { secureProtocol: 'x' }, 'UNKNOWN_OPTION', 'minVersion and maxVersion'],
    ['unknown options of a name', { sni: { b: { crt: 'x' } } }, 'UNKNOWN_OPTION', 'sni\\["b"'],
  ])('%s', (_what, options, code, says) => {
    const pattern =
      typeof says === 'string' ? says.replaceAll('[1]', '\\[1]').replaceAll('[0]', '\\[0]') : says;
    expectRefusal(options, code, new RegExp(pattern));
  });

  it('and shows no part of keys and passphrases', () => {
    const told = [
      refusalOf({ ...first, key: encrypted, passphrase: 'tell-nobody' }),
      refusalOf({ ...first, key: [{ pem: 'tell-nobody' }] }),
      refusalOf({ ...first, pfx: 'tell-nobody' }),
      refusalOf({ ...first, key: [{ pem: encrypted, pasphrase: 'tell-nobody' }] }),
      refusalOf({ ticketKeys: 'tell-nobody' }),
    ];
    for (const error of told) expect(inspect(error)).not.toContain('tell-nobody');
    const context = secureContext({ ...first, key: encrypted, passphrase: PFX_PASSPHRASE });
    expect(inspect(context, { showHidden: true, depth: 9 })).not.toMatch(/PRIVATE|secret/);
    expect(JSON.stringify(context)).toBe('{}');
  });
});

describe('setTicketKeys()', () => {
  it('takes keys in the place of others, and none without them', () => {
    const context = secureContext({ ...first, ticketKeys: Buffer.alloc(48, 1) });
    context.setTicketKeys([Buffer.alloc(48, 2), Buffer.alloc(48, 1)]);
    expect(() => context.setTicketKeys(Buffer.alloc(47))).toThrow(/48 bytes/);
    expect(() => secureContext(first).setTicketKeys(Buffer.alloc(48))).toThrow(/ticketKeys/);
  });
});
