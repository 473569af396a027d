// The options that make a secure context, as node:tls names them.
import type { NamesOf } from '../option_names.js';

/** PEM as text, or PEM or DER as bytes. */
export type Pem = string | Uint8Array;

export interface EncryptedKey {
  pem: Pem;
  /** Default: the option `passphrase`. */
  passphrase?: string;
}

export interface EncryptedPfx {
  buf: Uint8Array;
  /** Default: the option `passphrase`. */
  passphrase?: string;
}

export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

/**
 * What TLS connections have in common. Texts and bytes are read when the context is made; the bytes
 * are copied once, and native code overwrites its copies of keys and passphrases after use.
 */
export interface ContextOptions<Context = unknown> {
  /** Private keys, one for each chain of `cert`, in any order. At most 8, of 1 MB each. */
  key?: Pem | readonly (Pem | EncryptedKey)[];
  /**
   * Certificates, each with the chain that leads to its root behind it. Several are several
   * chains with keys of different kinds, such as RSA and ECDSA: the peer's abilities choose.
   */
  cert?: Pem | readonly Pem[];
  /** A key with its chain in PKCS #12, in the place of key and cert. */
  pfx?: Uint8Array | readonly (Uint8Array | EncryptedPfx)[];
  /** For encrypted keys and pfx. At most 1,024 bytes. */
  passphrase?: string;
  /**
   * Whom to trust, in the place of the root certificates. Default: `tls.getCACertificates()` where
   * there is one; otherwise `tls.rootCertificates` and the file of NODE_EXTRA_CA_CERTS.
   */
  ca?: Pem | readonly Pem[];
  /** Lists of revoked certificates. With one, each authority of a chain must have a list. */
  crl?: Pem | readonly Pem[];
  /** In OpenSSL's words; suites of TLS 1.3 may be among them. Default: `tls.DEFAULT_CIPHERS`. */
  ciphers?: string;
  /** Suites of TLS 1.3, with colons between. Default: those in `ciphers`. */
  ciphersuites?: string;
  /** Curves, with colons between, the best first. Default: `tls.DEFAULT_ECDH_CURVE`. */
  ecdhCurve?: string;
  /** Signature algorithms, with colons between. Default: OpenSSL's. */
  sigalgs?: string;
  /** Default: `tls.DEFAULT_MIN_VERSION`, which is 'TLSv1.2'. */
  minVersion?: TlsVersion;
  /** Default: `tls.DEFAULT_MAX_VERSION`, which is 'TLSv1.3'. */
  maxVersion?: TlsVersion;
  /** The server's order of ciphers counts, and not the client's. Default: true. */
  honorCipherOrder?: boolean;
  /**
   * Application protocols. A server takes the first of its own that the client offers; without
   * one in common the handshake fails with the alert no_application_protocol (RFC 7301).
   */
  ALPNProtocols?: readonly string[] | Uint8Array;
  /** A server asks clients for a certificate. Default: false. */
  requestCert?: boolean;
  /**
   * A peer whose certificate cannot be verified is refused in the handshake. Default: true, also
   * with NODE_TLS_REJECT_UNAUTHORIZED in the environment.
   */
  rejectUnauthorized?: boolean;
  /** Seconds in which a session can be resumed, 1 to 604,800 (RFC 8446). Default: 300. */
  sessionTimeout?: number;
  /**
   * Servers with the same one resume each other's sessions, if they share `ticketKeys`. Default: it
   * is made of the certificates, `requestCert`, `rejectUnauthorized`, `ca` and `crl`.
   */
  sessionIdContext?: string;
  /**
   * Keys of session tickets, 48 bytes each as in node:tls: the first encrypts, all decrypt. At most
   * 16. Default: random ones that all threads of the process share, a new one each hour, the last
   * three decrypt.
   */
  ticketKeys?: Uint8Array | readonly Uint8Array[];
  /** Sessions are resumed by tickets; without, TLS 1.2 has session ids. Default: true. */
  sessionTickets?: boolean;
  /** An OCSP response in DER for `cert`, or one for each of its chains: it is stapled. */
  ocspResponse?: Uint8Array | readonly (Uint8Array | undefined)[];
  /**
   * Other certificates by the name that the client asks for: exact names, and `*.` for one label.
   * What is not given there is as here. At most 65,536 names.
   */
  sni?: Readonly<Record<string, ContextOptions<Context> | Context>>;
  /** The secrets of connections are told for a key log. Default: false. */
  keylog?: boolean;
}

export const CONTEXT: NamesOf<ContextOptions> = {
  key: true,
  cert: true,
  pfx: true,
  passphrase: true,
  ca: true,
  crl: true,
  ciphers: true,
  ciphersuites: true,
  ecdhCurve: true,
  sigalgs: true,
  minVersion: true,
  maxVersion: true,
  honorCipherOrder: true,
  ALPNProtocols: true,
  requestCert: true,
  rejectUnauthorized: true,
  sessionTimeout: true,
  sessionIdContext: true,
  ticketKeys: true,
  sessionTickets: true,
  ocspResponse: true,
  sni: true,
  keylog: true,
};

/** What node:tls, Bun, Deno and uWebSockets.js call what is meant here. */
export const CONTEXT_PEERS = {
  alpn: 'ALPNProtocols',
  alpnProtocols: 'ALPNProtocols',
  ALPNCallback: 'the first of ALPNProtocols that the client offers is taken',
  caCerts: 'ca',
  caFile: 'read the file, and give its content as ca',
  ca_file_name: 'read the file, and give its content as ca',
  keyFile: 'key takes the content of a file; watch follows files',
  key_file_name: 'key takes the content of a file',
  certFile: 'cert takes the content of a file; watch follows files',
  cert_file_name: 'cert takes the content of a file',
  dhparam: 'ciphers with DHE are left out; ECDHE needs no parameters',
  dhParamsFile: 'ciphers with DHE are left out; ECDHE needs no parameters',
  secureProtocol: 'minVersion and maxVersion say it',
  secureOptions: 'minVersion, maxVersion and honorCipherOrder say it',
  privateKeyEngine: 'OpenSSL 3 has no engines that Node would load',
  clientCertEngine: 'OpenSSL 3 has no engines that Node would load',
  serverName: 'servername',
  hostVerifier: 'checkServerIdentity',
};
