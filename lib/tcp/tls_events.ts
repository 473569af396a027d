// The events of TLS: handshakes that fail, names that are asked for, sessions and key logs.
import { registerSink, Wing } from '../runtime/dispatch.js';
import { Event } from '../runtime/protocol.js';
import { runtime } from '../runtime/runtime.js';
import { TlsError, TlsFailure } from '../tls/connection_error.js';
import { extraOf } from './connection_state.js';
import { connectionAt, connections, endpoints } from './tables.js';

/** The bytes of the event; they are memory of the turn. */
function bytesOf(at: number, events: Int32Array): Buffer {
  const slab = runtime().memory.slabs[events[at + 3]];
  return slab.subarray(events[at + 4], events[at + 4] + events[at + 5]);
}

function errorOf(at: number, events: Int32Array): TlsError {
  const [reason, address, port] = bytesOf(at, events).toString('latin1').split('\n');
  const facts = events[at + 6];
  return new TlsError({
    kind: facts & 0xff,
    alert: (facts >>> 8) & 0xff,
    alertIsPeers: ((facts >>> 16) & 1) === 1,
    verified: facts >>> 24,
    reason,
    remoteAddress: address === '' ? undefined : address,
    remotePort: address === '' || Number(port) === 0 ? undefined : Number(port),
  });
}

function failed(at: number, events: Int32Array): void {
  const slot = events[at + 1];
  const generation = events[at + 2];
  const error = errorOf(at, events);
  const failure = events[at + 6] & 0xff;
  const isOpen = failure === TlsFailure.record || failure === TlsFailure.tooManyMessages;
  // A server's connection that was never open is no connection to its user; a client's is one.
  const connection = isOpen ? connectionAt(slot, generation, events[at + 7]) : connections[slot];
  if (connection?._generation === generation) extraOf(connection).tlsFailure = error;
  else endpoints[events[at + 7]]?.tls?.failed(error);
}

function event(kind: number, at: number, events: Int32Array): void {
  if (kind === Event.tlsError) {
    failed(at, events);
    return;
  }
  if (kind === Event.tlsHttp2) {
    const connection = connectionAt(events[at + 1], events[at + 2], events[at + 7]);
    connection?._endpoint.protocol?.http2?.(connection);
    return;
  }
  const tls = endpoints[events[at + 7]]?.tls;
  if (tls === undefined) return;
  const bytes = bytesOf(at, events);
  switch (kind) {
    case Event.tlsServerName:
      tls.asked(events[at + 1], events[at + 2], bytes.toString('latin1'));
      break;
    case Event.tlsSession:
      tls.gotSession(Buffer.from(bytes));
      break;
    case Event.tlsKeylog:
      tls.keylogged(Buffer.concat([bytes, NEWLINE]));
      break;
  }
}

const NEWLINE = Buffer.from('\n');

registerSink(Wing.tls, { event });
