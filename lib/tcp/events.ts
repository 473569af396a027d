// The events of connections and listeners: which handler each is for.
import { registerSink, Wing } from '../runtime/dispatch.js';
import { Event } from '../runtime/protocol.js';
import { runtime } from '../runtime/runtime.js';
import { systemError } from '../runtime/system_error.js';
import { uncaught } from '../runtime/ticks.js';
import { Chunk } from './chunk.js';
import { extraOf, Flag, OVER } from './connection_state.js';
import {
  call,
  callWith,
  deliverData,
  deliverDrain,
  deliverEnd,
  fail,
  failed,
  hasHeldData,
  hold,
  runClose,
  runHeldEnd,
  timedOut,
  watch,
} from './delivery.js';
import { dropUnsent } from './sending.js';
import { connectionAt, connections, endpoints, takers } from './tables.js';
import { toldOf } from './transfer.js';

const TWO_TO_32 = 2 ** 32;

function event(kind: number, at: number, events: Int32Array): void {
  const taker = takers[events[at + 7]];
  if (taker !== undefined) {
    taker(kind, at, events);
    return;
  }
  const loop = runtime();
  const slot = events[at + 1];
  const generation = events[at + 2];
  switch (kind) {
    case Event.data: {
      const slab = loop.memory.slabs[events[at + 3]];
      const chunk = new Chunk(slab, events[at + 4], events[at + 5], events[at + 6]);
      const connection = connectionAt(slot, generation, events[at + 7]);
      if (connection === undefined || !deliverData(connection, chunk)) {
        chunk._endTurn(loop.checked);
      }
      break;
    }
    case Event.open:
      opened(slot, generation, events[at + 7]);
      break;
    case Event.end: {
      const connection = connectionAt(slot, generation, events[at + 7]);
      if (connection === undefined) break;
      const { protocol } = connection._endpoint;
      if (protocol === undefined) deliverEnd(connection);
      else protocol.ended(connection, events[at + 3] === 1);
      break;
    }
    case Event.drain: {
      const connection = connectionAt(slot, generation, events[at + 7]);
      if (connection !== undefined) deliverDrain(connection);
      break;
    }
    case Event.timeout: {
      const connection = connectionAt(slot, generation, events[at + 7]);
      if (connection === undefined || connection._flags & OVER) break;
      const { timeout } = connection._endpoint;
      if (timeout === undefined) timedOut(connection);
      else call(connection, timeout);
      break;
    }
    case Event.close:
      closed(at, slot, generation);
      break;
    case Event.arrived:
      arrived(at, slot, generation);
      break;
    case Event.left:
      connectionAt(slot, generation, events[at + 7])?._extra?.leaving?.left();
      break;
    case Event.piped: {
      const sink = connectionAt(slot, generation, events[at + 7])?._extra?.sink;
      const bytes = (events[at + 5] >>> 0) * TWO_TO_32 + (events[at + 4] >>> 0);
      sink?.piped?.(bytes, (events[at + 3] >>> 0) * TWO_TO_32 + (events[at + 6] >>> 0));
      break;
    }
    case Event.connected:
      connected(slot, generation);
      break;
    case Event.acceptError:
      endpoints[events[at + 7]]?.onAcceptError?.(events[at + 3]);
      break;
    case Event.listenerClosed:
      endpoints[events[at + 7]]?.onListenerClosed?.();
      break;
  }
}

/**
 * What stands between the events and the handlers has thrown. The connection has lost an event and
 * must not go on as if it had not.
 */
export function brokenConnection(at: number, error: unknown): void {
  const { events } = runtime();
  const connection = connections[events[at + 1]];
  if (connection?._generation === events[at + 2]) failed(connection, error);
  else uncaught(error);
}

function opened(slot: number, generation: number, endpointId: number): void {
  const endpoint = endpoints[endpointId];
  if (endpoint === undefined) return;
  endpoint.connections++;
  endpoint.natives++;
  if (endpoint.open === undefined && endpoint.data !== undefined) {
    while (connections.length <= slot) connections.push(undefined);
    return;
  }
  const connection = connectionAt(slot, generation, endpointId);
  // connectionData has thrown: that is its error, and no open comes before the close.
  if (connection === undefined || connection._extra?.failure !== undefined) return;
  if (endpoint.data === undefined) connection.pause();
  if (endpoint.open !== undefined) call(connection, endpoint.open);
}

function arrived(at: number, slot: number, generation: number): void {
  const { events, memory } = runtime();
  const endpoint = endpoints[events[at + 7]];
  if (endpoint === undefined) return;
  endpoint.connections++;
  endpoint.natives++;
  const connection = connectionAt(slot, generation, events[at + 7]);
  // connectionData has thrown: that is its error, and nothing else comes before the close.
  if (connection === undefined || connection._extra?.failure !== undefined) return;
  if (endpoint.data === undefined) connection.pause();
  const { transferred } = endpoint;
  if (transferred === undefined) return;
  const [slab, offset, length] = events.subarray(at + 3, at + 6);
  const note = length === 0 ? undefined : memory.slabs[slab].subarray(offset, offset + length);
  call(connection, (here) => transferred(here, toldOf(note)));
}

function connected(slot: number, generation: number): void {
  const connection = connections[slot];
  if (connection === undefined || connection._generation !== generation) return;
  if (connection._flags & OVER) return;
  connection._flags &= ~Flag.connecting;
  const endpoint = connection._endpoint;
  endpoint.connections++;
  if (endpoint.data === undefined) connection.pause();
  const { connecting } = extraOf(connection);
  let failure: Error | undefined;
  try {
    connecting?.configure();
    if (endpoint.open !== undefined) watch(connection, endpoint.open(connection));
  } catch (error) {
    failure = fail(connection, error);
    // Without that handler it is no uncaught exception: whoever waits for connect() hears of it.
    if (endpoint.error !== undefined) callWith(endpoint.error, connection, failure, uncaught);
  }
  connecting?.opened(failure);
}

function closed(at: number, slot: number, generation: number): void {
  const { events } = runtime();
  const endpoint = endpoints[events[at + 7]];
  if (endpoint === undefined) return;
  endpoint.natives--;
  const connection = connectionAt(slot, generation, events[at + 7]);
  if (connection === undefined) return;
  const errno = events[at + 3] & 0xffffff;
  const extra = extraOf(connection);
  const error =
    errno === 0 ? undefined : (extra.tlsFailure ?? systemError(errno, events[at + 3] >>> 24));
  const highs = events[at + 6] >>> 0;
  extra.bytesRead = (highs >>> 16) * TWO_TO_32 + (events[at + 4] >>> 0);
  extra.bytesWritten = (highs & 0xffff) * TWO_TO_32 + (events[at + 5] >>> 0);
  // Native code may use the slot again; what is still held belongs to the object alone.
  connections[slot] = undefined;
  const paused =
    !(connection._flags & OVER) &&
    error === undefined &&
    connection._endpoint.protocol === undefined &&
    hasHeldData(connection);
  if (paused) {
    connection._flags |= Flag.forgotten;
    dropUnsent(connection);
    hold(connection, { kind: 'close' });
    endpoint.closeHeld ??= new Set();
    endpoint.closeHeld.add(connection);
    endpoint.onCloseHeld?.();
    return;
  }
  if (error === undefined) runHeldEnd(connection);
  runClose(connection, error);
}

registerSink(Wing.streams, { event, broken: brokenConnection });
