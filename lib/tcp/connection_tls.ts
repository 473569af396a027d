// What TLS has agreed on for one connection: connection.tls.
import type { X509Certificate } from 'node:crypto';
import { crypto } from '../builtins.js';
import { integer } from '../checks.js';
import { invalidArgType, invalidArgValue } from '../errors.js';
import type { NativeTlsDetails } from '../runtime/native_tls_sessions.js';
import { runtime } from '../runtime/runtime.js';
import { verifyResultName } from '../tls/verify_results.js';

const EXPORT_BYTES_MAX = 16 * 1024;

/** A connection, as far as TLS knows it. */
interface Named {
  readonly _slot: number;
  readonly _generation: number;
}

/** What the handshake has agreed on, read when `connection.tls` is asked for first. It stays. */
export class ConnectionTls {
  /** 'TLSv1.2' or 'TLSv1.3'; older ones where `minVersion` allows them. */
  readonly protocol: string;
  /** As the option `ciphers` names it. */
  readonly cipher: string;
  /** The application protocol that was chosen; undefined: none was. */
  readonly alpn: string | undefined;
  /** The name of the server that the client sent. */
  readonly servername: string | undefined;
  /** The peer has a certificate, and it was found to be good. */
  readonly authorized: boolean;
  /** What is wrong with it, as node:tls names it; with `rejectUnauthorized: false`. */
  readonly authorizationError: string | undefined;
  /** An earlier session was resumed. */
  readonly reused: boolean;
  readonly #connection: Named;

  /** @internal */
  constructor(connection: Named, details: NativeTlsDetails) {
    this.#connection = connection;
    this.protocol = details.protocol;
    this.cipher = details.cipher;
    this.alpn = details.alpn;
    this.servername = details.servername;
    this.authorized = details.certified && details.verified === 0;
    this.authorizationError = details.certified ? verifyResultName(details.verified) : undefined;
    this.reused = details.reused;
  }

  /** The peer's certificate; undefined when it has none, or when the connection is closed. */
  peerCertificate(): X509Certificate | undefined {
    return this.peerCertificates()[0];
  }

  /** The peer's certificate, and the others that it sent. Each call reads and copies them. */
  peerCertificates(): X509Certificate[] {
    const { _slot: slot, _generation: generation } = this.#connection;
    const { X509Certificate: Certificate } = crypto();
    const ders = runtime().native.tlsPeerCertificates(slot, generation);
    return ders.map((der) => new Certificate(der));
  }

  /**
   * Key material that both sides have and nobody else: RFC 5705, and RFC 8446, section 7.5.
   * @param length bytes, 1 to 16,384
   * @param label says what it is for; IANA keeps a list of labels
   * @returns undefined when the connection is closed
   * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _INVALID_ARG_VALUE, _OUT_OF_RANGE
   */
  exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Buffer | undefined {
    if (length === undefined) throw invalidArgType('length', 'a number', length);
    integer('length', length, 1, EXPORT_BYTES_MAX, 1);
    if (typeof label !== 'string') throw invalidArgType('label', 'a string', label);
    if (label === '') throw invalidArgValue('label', 'a string with at least one character', label);
    if (context !== undefined && !(context instanceof Uint8Array)) {
      throw invalidArgType('context', 'a Uint8Array', context);
    }
    const { _slot: slot, _generation: generation } = this.#connection;
    const bytes = runtime().native.tlsExport(slot, generation, length, label, context);
    return bytes === undefined ? undefined : Buffer.from(bytes.buffer);
  }
}
