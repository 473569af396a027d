// What native code says of certificates and keys, as errors. OpenSSL's words are in it, and nothing
// of what was given.
import { RingpollError, type RingpollErrorCode } from '../errors.js';
import type { NativeContextFailure } from '../runtime/native_tls.js';

type Failure = readonly [
  code: RingpollErrorCode,
  option: string,
  says: string,
  /** The number behind the option says which of a list. */
  counts: boolean,
];

const one = (code: string, option: string, says: string): Failure => [
  `ERR_RINGPOLL_TLS_${code}` as RingpollErrorCode,
  option,
  says,
  false,
];
const each = (code: string, option: string, says: string): Failure => [
  `ERR_RINGPOLL_TLS_${code}` as RingpollErrorCode,
  option,
  says,
  true,
];

/** In the order of native code's numbers. */
const FAILURES: readonly Failure[] = [
  one('UNAVAILABLE', '', 'TLS has failed'),
  one('UNAVAILABLE', '', 'TLS is not available, because'),
  one('UNAVAILABLE', '', 'OpenSSL has no memory for it'),
  each('CERTIFICATE', 'cert', 'is no certificate in PEM or DER'),
  each('KEY_MISMATCH', 'key', 'has no certificate'),
  each('CERTIFICATE', 'cert', 'is refused'),
  each('CERTIFICATE', 'cert', 'is of a kind that another one has: name them apart with sni'),
  each('CERTIFICATE', 'cert', 'has more than 16 certificates'),
  each('KEY', 'key', 'is no private key in PEM or DER'),
  each('KEY_MISMATCH', 'cert', 'has no private key'),
  each('KEY_MISMATCH', 'key', 'belongs to none of the certificates'),
  each('PASSPHRASE', 'key', 'is encrypted, and there is no passphrase'),
  each('PASSPHRASE', 'key', 'cannot be decrypted: the passphrase is wrong'),
  each('PFX', 'pfx', 'holds no key with its certificate that can be read'),
  each('PASSPHRASE', 'pfx', 'cannot be decrypted: the passphrase is wrong, or missing'),
  each('CA', 'ca', 'is no certificate in PEM or DER'),
  each('CRL', 'crl', 'is no list of revoked certificates in PEM or DER'),
  one('CIPHERS', 'ciphers', 'names no cipher of TLS 1.2 that OpenSSL knows'),
  one('CIPHERS', 'ciphersuites', 'names no cipher suite of TLS 1.3 that OpenSSL knows'),
  one('CURVES', 'ecdhCurve', 'names a curve that OpenSSL does not know'),
  one('SIGALGS', 'sigalgs', 'names a signature algorithm that OpenSSL does not know'),
  one('UNAVAILABLE', 'minVersion', 'and maxVersion leave no version that OpenSSL speaks'),
  one('UNAVAILABLE', 'ALPNProtocols', 'is no list of names'),
  each('OCSP', 'ocspResponse', 'is no OCSP response in DER'),
];

/** How many of native code's numbers have words, for a test to compare. */
export const FAILURE_COUNT = FAILURES.length;

export function contextError(path: string, failed: NativeContextFailure): RingpollError {
  const [code, option, says, counts] = FAILURES[failed.failure] ?? FAILURES[0]!;
  const which = counts && failed.index > 0 ? `${option}[${failed.index}]` : option;
  const subject = option === '' ? says : `${path}.${which} ${says}`;
  const reason = option === '' ? failed.reason : failed.reason && `(OpenSSL: ${failed.reason})`;
  return new RingpollError(code, [subject, reason].filter((part) => part !== '').join(' '));
}
