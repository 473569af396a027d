// The addon's functions for what TLS connections have in common; native/binding/tls_context.cc.

declare const kind: unique symbol;

/** What native code has made; JavaScript holds it, and nothing more. */
export interface NativeHandle<Kind> {
  readonly [kind]: Kind;
}
export type NativeContext = NativeHandle<'context'>;
export type NativeTicketKeys = NativeHandle<'ticket keys'>;
export type NativeRoots = NativeHandle<'roots'>;

export interface TlsReport {
  available: boolean;
  /** Of the OpenSSL that this process carries. */
  version?: string;
  /**
   * Who encrypts the records of a server's TLS 1.3 connections behind OpenSSL's handshake:
   * 'ringpoll', or 'openssl' with RINGPOLL_TLS_RECORDS=openssl in the environment. All others are
   * OpenSSL's: those of clients, of TLS 1.2, and of clients with a certificate.
   */
  records?: 'ringpoll' | 'openssl';
  /** Why it is not available. */
  reason?: string;
}

export interface NativeSecret {
  bytes: Uint8Array;
  passphrase: Uint8Array | undefined;
}

/** native/core/tls/context_options.h. */
export interface NativeContextOptions {
  client: boolean;
  certificates: Uint8Array[];
  keys: NativeSecret[];
  pfx: NativeSecret[];
  staples: Uint8Array[];
  /** undefined: the roots are trusted. */
  authorities: Uint8Array[] | undefined;
  crls: Uint8Array[];
  roots: NativeRoots | undefined;
  ciphers: string;
  ciphersuites: string;
  curves: string;
  signatures: string;
  minVersion: number;
  maxVersion: number;
  serverPreference: boolean;
  alpn: Uint8Array;
  requestCertificate: boolean;
  rejectUnauthorized: boolean;
  sessionSeconds: number;
  sessionIdContext: Uint8Array;
  ticketKeys: NativeTicketKeys | undefined;
  tickets: boolean;
  /** A name and what serves it, in turns. */
  serverNames: (string | NativeContext)[];
  keylog: boolean;
}

export interface NativeContextFailure {
  /** A place in the list of failures in native/core/tls/context_options.h. */
  failure: number;
  index: number;
  reason: string;
}

export interface NativeTls {
  tlsStatus(): TlsReport;
  /** undefined: those of the system. Answers undefined without OpenSSL or memory. */
  tlsRoots(pems: Uint8Array[] | undefined): NativeRoots | undefined;
  /** Of one or more keys of 48 bytes, one behind the other. */
  tlsTicketKeys(keys: Uint8Array): NativeTicketKeys;
  tlsReplaceTicketKeys(held: NativeTicketKeys, keys: Uint8Array): void;
  tlsContext(options: NativeContextOptions): NativeContext | NativeContextFailure;
}
