// Checks of keys, certificates and passphrases: their types and sizes. What is in them is found
// out by OpenSSL. No message has a part of a value.
import { invalidArgValue, invalidSecretType, outOfRange } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import type { NativeSecret } from '../runtime/native_tls.js';
import type { EncryptedKey, EncryptedPfx } from './context_options.js';

/** native/core/tls/context_options.h. */
const BYTES_MAX = 1024 * 1024;
const PASSPHRASE_BYTES_MAX = 1024;
const KEYS_MAX = 8;
const LIST_MAX = 1024;

const KEY = optionNames<EncryptedKey>('an encrypted key', { pem: true, passphrase: true });
const PFX = optionNames<EncryptedPfx>('an encrypted pfx', { buf: true, passphrase: true });

export function bytesOf(name: string, value: unknown, expected: string): Uint8Array {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  if (!(bytes instanceof Uint8Array)) throw invalidSecretType(name, expected, value);
  if (bytes.byteLength > BYTES_MAX) {
    throw outOfRange(`${name}.length`, `at most ${BYTES_MAX} bytes`, bytes.byteLength);
  }
  return bytes;
}

const PEM = 'a string or a Uint8Array, or an array of them';

/** One or many, as a list with the names that messages give them. */
function listOf(name: string, value: unknown, max: number): [name: string, value: unknown][] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return [[name, value]];
  if (value.length > max) throw outOfRange(`${name}.length`, `at most ${max}`, value.length);
  return value.map((each, i) => [`${name}[${i}]`, each]);
}

/** A copy that may be overwritten: what was given stays as it is. */
function secretBytesOf(name: string, value: unknown, expected: string): Uint8Array {
  return typeof value === 'string'
    ? bytesOf(name, value, expected)
    : Uint8Array.from(bytesOf(name, value, expected));
}

export function checkPems(name: string, value: unknown, max = LIST_MAX): Uint8Array[] {
  return listOf(name, value, max).map(([path, each]) => bytesOf(path, each, PEM));
}

export function checkCertificates(name: string, value: unknown): Uint8Array[] {
  return checkPems(name, value, KEYS_MAX);
}

export function checkPassphrase(name: string, value: unknown): Uint8Array | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw invalidSecretType(name, 'a string', value);
  const bytes = Buffer.from(value);
  if (bytes.byteLength <= PASSPHRASE_BYTES_MAX && !bytes.includes(0)) return bytes;
  throw outOfRange(
    `${name}.length`,
    `at most ${PASSPHRASE_BYTES_MAX} bytes without NUL`,
    bytes.byteLength,
  );
}

const isPlainEntry = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !(value instanceof Uint8Array);

export function checkKeys(
  name: string,
  value: unknown,
  passphrase: Uint8Array | undefined,
): NativeSecret[] {
  return listOf(name, value, KEYS_MAX).map(([path, each]) => {
    if (!isPlainEntry(each)) return { bytes: secretBytesOf(path, each, KEY_TYPES), passphrase };
    checkOptions(KEY, each, path);
    return {
      bytes: secretBytesOf(`${path}.pem`, each.pem, 'a string or a Uint8Array'),
      passphrase: checkPassphrase(`${path}.passphrase`, each.passphrase) ?? passphrase,
    };
  });
}

const KEY_TYPES = 'a string, a Uint8Array, or an array of them and of { pem, passphrase }';
const PFX_TYPES = 'a Uint8Array, or an array of them and of { buf, passphrase }';

export function checkPfx(
  name: string,
  value: unknown,
  passphrase: Uint8Array | undefined,
): NativeSecret[] {
  return listOf(name, value, KEYS_MAX).map(([path, each]) => {
    if (typeof each === 'string') throw invalidSecretType(path, PFX_TYPES, each);
    if (!isPlainEntry(each)) return { bytes: secretBytesOf(path, each, PFX_TYPES), passphrase };
    checkOptions(PFX, each, path);
    if (typeof each.buf === 'string') {
      throw invalidSecretType(`${path}.buf`, 'a Uint8Array', each.buf);
    }
    return {
      bytes: secretBytesOf(`${path}.buf`, each.buf, 'a Uint8Array'),
      passphrase: checkPassphrase(`${path}.passphrase`, each.passphrase) ?? passphrase,
    };
  });
}

/** A response for each chain; an empty one where there is none. */
export function checkStaples(name: string, value: unknown): Uint8Array[] {
  return listOf(name, value, KEYS_MAX).map(([path, each]) => {
    if (each === undefined) return new Uint8Array(0);
    if (each instanceof Uint8Array && each.byteLength === 0) {
      throw invalidArgValue(path, 'an OCSP response in DER', each);
    }
    if (typeof each === 'string') throw invalidSecretType(path, 'a Uint8Array', each);
    return bytesOf(path, each, 'a Uint8Array, or an array of them');
  });
}
