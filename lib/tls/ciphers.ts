// Ciphers, curves and versions: Node's defaults, and Node's way to keep suites of TLS 1.3, which
// OpenSSL takes in a list of their own, among the others.
import { tls } from '../builtins.js';
import { invalidArgType, invalidArgValue, RingpollError } from '../errors.js';
import type { ContextOptions } from './context_options.js';

const VERSIONS = { TLSv1: 0x301, 'TLSv1.1': 0x302, 'TLSv1.2': 0x303, 'TLSv1.3': 0x304 } as const;
const TLS_1_2 = VERSIONS['TLSv1.2'];
const TLS_1_3 = VERSIONS['TLSv1.3'];

export interface CheckedCiphers {
  ciphers: string;
  ciphersuites: string;
  curves: string;
  signatures: string;
  minVersion: number;
  maxVersion: number;
}

function text(name: string, value: unknown, otherwise: string): string {
  if (value === undefined) return otherwise;
  if (typeof value !== 'string') throw invalidArgType(name, 'a string', value);
  if (value === '' || value.includes('\0')) {
    throw invalidArgValue(name, 'a list of names with colons between', value);
  }
  return value;
}

function version(name: string, value: unknown, otherwise: string): number {
  const known = Object.keys(VERSIONS);
  const given = value === undefined ? otherwise : value;
  if (typeof given !== 'string') throw invalidArgType(name, 'a string', given);
  if (!known.includes(given)) throw invalidArgValue(name, `one of ${known.join(', ')}`, given);
  return VERSIONS[given as keyof typeof VERSIONS];
}

const isSuite = (name: string) => name.startsWith('TLS_');

function checkSuites(name: string, suites: readonly string[]): void {
  const known = tls().getCiphers();
  const unknown = suites.find((suite) => !known.includes(suite.toLowerCase()));
  if (unknown === undefined) return;
  throw new RingpollError(
    'ERR_RINGPOLL_TLS_CIPHERS',
    `${name} has ${JSON.stringify(unknown)}, which is no cipher suite of TLS 1.3 here`,
  );
}

export function checkCiphers(path: string, options: ContextOptions): CheckedCiphers {
  const node = tls();
  const given = text(`${path}.ciphers`, options.ciphers, node.DEFAULT_CIPHERS);
  const words = given.split(':').filter((word) => word !== '');
  const old = words.filter((word) => !isSuite(word));
  const own = text(`${path}.ciphersuites`, options.ciphersuites, '');
  const suites = own === '' ? words.filter(isSuite) : own.split(':').filter((word) => word !== '');
  checkSuites(`${path}.${own === '' ? 'ciphers' : 'ciphersuites'}`, suites);
  let minVersion = version(`${path}.minVersion`, options.minVersion, node.DEFAULT_MIN_VERSION);
  let maxVersion = version(`${path}.maxVersion`, options.maxVersion, node.DEFAULT_MAX_VERSION);
  if (minVersion > maxVersion) {
    const expected = `at least minVersion (${nameOf(minVersion)})`;
    throw invalidArgValue(`${path}.maxVersion`, expected, nameOf(maxVersion));
  }
  // Without a cipher a version cannot be spoken: OpenSSL would offer it all the same.
  if (old.length === 0 && maxVersion === TLS_1_3) minVersion = TLS_1_3;
  if (suites.length === 0 && minVersion <= TLS_1_2 && maxVersion === TLS_1_3) maxVersion = TLS_1_2;
  const speaksOld = minVersion <= TLS_1_2;
  if ((speaksOld && old.length === 0) || (maxVersion === TLS_1_3 && suites.length === 0)) {
    const versions = `${nameOf(minVersion)} to ${nameOf(maxVersion)}`;
    throw new RingpollError(
      'ERR_RINGPOLL_TLS_CIPHERS',
      `${path}.ciphers has no cipher for the versions ${versions}`,
    );
  }
  const curves = text(`${path}.ecdhCurve`, options.ecdhCurve, node.DEFAULT_ECDH_CURVE);
  return {
    ciphers: old.join(':'),
    ciphersuites: suites.join(':'),
    curves: curves === 'auto' ? '' : curves,
    signatures: text(`${path}.sigalgs`, options.sigalgs, ''),
    minVersion,
    maxVersion,
  };
}

function nameOf(number: number): string {
  return Object.entries(VERSIONS).find(([, each]) => each === number)?.[0] ?? String(number);
}
