// The addon's functions for connections that speak TLS; native/binding/tls.cc.
import type { NativeContext, NativeHandle } from './native_tls.js';

export type NativeTlsCounters = NativeHandle<'counters'>;

/** Of one listener, or of one connect call. */
export interface NativeTlsSettings {
  context: NativeContext;
  /** Milliseconds from the connection's first moment; 0: no limit. */
  handshakeMs: number;
  /** Plain HTTP is answered with 400. */
  httpInside: boolean;
  /** The event tlsHttp2 comes for connections that have agreed on h2, and their bytes are raw. */
  http2Inside: boolean;
  /** Where its connections are counted besides those of the loop. */
  counters: NativeTlsCounters | undefined;
  /** Whose connections begin with a PROXY header. */
  proxies: readonly string[];
  /** The event tlsServerName comes for names that the context does not have. */
  asksForNames: boolean;
  /** Sent to the server; empty: none. */
  serverName: string;
  /** Must be in the peer's certificate; empty: any may. */
  verifyName: string;
  session: Uint8Array | undefined;
}

export interface NativeTlsCounts {
  connections: number;
  handshakes: number;
  handshakes12: number;
  handshakes13: number;
  resumed: number;
  failures: number;
  truncated: number;
  deferred: number;
  /** A number of an alert and how many there were, in turns. */
  alertsSent: number[];
  alertsReceived: number[];
}

export interface NativeTlsDetails {
  protocol: string;
  cipher: string;
  alpn: string | undefined;
  servername: string | undefined;
  reused: boolean;
  /** OpenSSL's result of verification; 0: nothing was found to be wrong. */
  verified: number;
  /** The peer has a certificate. */
  certified: boolean;
}

export interface NativeTlsSessions {
  /** New connections of the listener are served with it. */
  tlsUse(endpointId: number, context: NativeContext): void;
  /** The answer to the event tlsServerName; without a context the connection's own goes on. */
  tlsName(
    slot: number,
    generation: number,
    context: NativeContext | undefined,
    refused: boolean,
  ): void;
  tlsDetails(slot: number, generation: number): NativeTlsDetails | undefined;
  /** In DER: its own, and the chain that it sent. */
  tlsPeerCertificates(slot: number, generation: number): Uint8Array[];
  tlsExport(
    slot: number,
    generation: number,
    length: number,
    label: string,
    context: Uint8Array | undefined,
  ): Uint8Array | undefined;
  tlsCounters(): NativeTlsCounters;
  tlsCounts(held: NativeTlsCounters): NativeTlsCounts;
  /** OpenSSL's words for the result of a verification. */
  tlsVerifyText(result: number): string | undefined;
}
