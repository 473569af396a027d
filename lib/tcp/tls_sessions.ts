// Sessions that clients can resume, by their context and by whom they are with: a handshake with
// one costs a fraction. A session of TLS 1.3 is for one connection (RFC 8446, appendix C.4), and
// that of TLS 1.2 for many.
import type { NativeContext } from '../runtime/native_tls.js';

/** Of one context; of more, the peer that was heard of longest ago is forgotten. */
export const SESSION_PEERS_MAX = 256;
/** Of one peer: more connections than this at once begin with full handshakes. */
export const SESSIONS_OF_PEER_MAX = 4;

const kept = new WeakMap<NativeContext, Map<string, Buffer[]>>();

export function keepSession(context: NativeContext, peer: string, session: Buffer): void {
  let peers = kept.get(context);
  if (peers === undefined) {
    peers = new Map();
    kept.set(context, peers);
  }
  const sessions = peers.get(peer) ?? [];
  peers.delete(peer);
  peers.set(peer, sessions);
  sessions.push(session);
  if (sessions.length > SESSIONS_OF_PEER_MAX) sessions.shift();
  if (peers.size > SESSION_PEERS_MAX) peers.delete(peers.keys().next().value as string);
}

/** The newest, which nobody else gets then. */
export function takeSession(context: NativeContext, peer: string): Buffer | undefined {
  return kept.get(context)?.get(peer)?.pop();
}
