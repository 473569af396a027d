// Why a connection did not come to speak TLS, or speaks it no longer.
import { brand } from '../brand.js';
import { RingpollError, type RingpollErrorCode } from '../errors.js';
import { native } from '../runtime/native.js';
import { alertName } from './alerts.js';
import { verifyResultName } from './verify_results.js';

/** native/core/rings/shared_rings.h. */
export const TlsFailure = {
  handshake: 1,
  timeout: 2,
  ended: 3,
  tooLong: 4,
  plainHttp: 5,
  notTls: 6,
  serverName: 7,
  network: 8,
  record: 9,
  tooManyMessages: 10,
  proxyHeader: 11,
} as const;

type Told = readonly [code: RingpollErrorCode, says: string];
const HANDSHAKE = 'ERR_RINGPOLL_TLS_HANDSHAKE';
const RECORD = 'ERR_RINGPOLL_TLS_RECORD';
const NOT_TLS = 'ERR_RINGPOLL_TLS_NOT_TLS';
const TOLD: Readonly<Record<number, Told>> = {
  [TlsFailure.handshake]: [HANDSHAKE, 'The TLS handshake has failed'],
  [TlsFailure.timeout]: [
    'ERR_RINGPOLL_TLS_HANDSHAKE_TIMEOUT',
    'The TLS handshake has taken longer than handshakeTimeout',
  ],
  [TlsFailure.ended]: [HANDSHAKE, 'The peer ended the connection in its TLS handshake'],
  [TlsFailure.tooLong]: [HANDSHAKE, 'The peer sent more bytes than a TLS handshake may have'],
  [TlsFailure.plainHttp]: [NOT_TLS, 'The peer speaks plain HTTP where TLS is spoken'],
  [TlsFailure.notTls]: [NOT_TLS, 'The peer does not speak TLS'],
  [TlsFailure.serverName]: [HANDSHAKE, 'Nothing serves the name that the client asks for'],
  [TlsFailure.network]: [HANDSHAKE, 'The connection was lost in its TLS handshake'],
  [TlsFailure.proxyHeader]: [
    'ERR_RINGPOLL_TLS_PROXY_HEADER',
    'The proxy did not begin with a PROXY header, or with a malformed one',
  ],
  [TlsFailure.record]: [RECORD, 'The peer sent bytes that are no TLS record of this connection'],
  [TlsFailure.tooManyMessages]: [RECORD, 'The peer sent too many key updates or tickets'],
};

/** What native code tells of a failure. */
export interface FailureFacts {
  kind: number;
  /** 255: none. */
  alert: number;
  alertIsPeers: boolean;
  /** OpenSSL's result of verification. */
  verified: number;
  /** OpenSSL's words, or ''. */
  reason: string;
  remoteAddress: string | undefined;
  remotePort: number | undefined;
}

/** A failure of TLS on one connection. Nothing that was encrypted, and no key, is in it. */
export class TlsError extends RingpollError {
  /** The alert that ended it, in the words of RFC 8446, such as 'unknown_ca'. */
  readonly alert: string | undefined;
  /** Who sent that alert. */
  readonly alertFrom: 'peer' | 'self' | undefined;
  /** What is wrong with the peer's certificate, as node:tls names it: 'CERT_HAS_EXPIRED', ... */
  readonly reason: string | undefined;
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;

  /** @internal */
  constructor(facts: FailureFacts) {
    const verified = facts.alertIsPeers ? undefined : verifyResultName(facts.verified);
    const [code, says] =
      verified === undefined ? toldOf(facts) : certificateTold(verified, facts.verified);
    super(code, messageOf(says, facts, verified !== undefined));
    this.alert = alertName(facts.alert);
    this.alertFrom = this.alert === undefined ? undefined : facts.alertIsPeers ? 'peer' : 'self';
    this.reason = verified;
    this.remoteAddress = facts.remoteAddress;
    this.remotePort = facts.remotePort;
  }
}
brand('TlsError', TlsError);

function toldOf({ kind }: FailureFacts): Told {
  return TOLD[kind] ?? TOLD[TlsFailure.handshake];
}

function certificateTold(name: string, result: number): Told {
  const words = native().tlsVerifyText(result) ?? 'not valid';
  return ['ERR_RINGPOLL_TLS_VERIFY', `The peer's certificate is refused: ${words} (${name})`];
}

function messageOf(says: string, facts: FailureFacts, complete: boolean): string {
  if (complete) return says;
  const alert = alertName(facts.alert);
  if (facts.alertIsPeers && alert !== undefined) return `${says}: the peer's alert is ${alert}`;
  return facts.reason === '' ? says : `${says} (OpenSSL: ${facts.reason})`;
}
