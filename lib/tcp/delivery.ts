// What reaches the handlers of a connection, in which order, and what becomes of what they throw.
import { asError, RingpollError } from '../errors.js';
import { Command } from '../runtime/protocol.js';
import { onRejection } from '../runtime/rejection.js';
import { runtime } from '../runtime/runtime.js';
import { ticks, uncaught } from '../runtime/ticks.js';
import { askForRoom, endAwaited, type Sender, settleSent } from './awaited.js';
import type { Chunk } from './chunk.js';
import {
  closedError,
  dropHeld,
  extraOf,
  Flag,
  type HasExtra,
  type Held,
  OVER,
} from './connection_state.js';
import { dropUnsent, sendMore } from './sending.js';

/** What a connection's endpoint has to say here. */
interface Behind {
  open?(connection: Any): unknown;
  data?(connection: Any, chunk: Chunk): unknown;
  drain?(connection: Any): unknown;
  end?(connection: Any): unknown;
  error?(connection: Any, error: Error): unknown;
  close?(connection: Any, error?: Error): unknown;
  readonly allowHalfOpen: boolean;
  readonly highWaterMark: number;
  connections: number;
  closeHeld: { delete(connection: Any): boolean } | undefined;
  listening: Behind | undefined;
  protocol: { closed(connection: Any, error: Error | undefined): void } | undefined;
  onConnectionClosed?(): void;
}

/** A connection, as far as deliveries know it. */
export interface Deliverable extends HasExtra, Sender {
  readonly _endpoint: Behind;
  readonly pendingBytes: number;
  end(): void;
  close(): void;
  reset(): void;
}
type Any = Deliverable;

export function call<Of extends Any>(connection: Of, handler: (connection: Of) => unknown): void {
  try {
    const result = handler(connection);
    if (result !== undefined) watch(connection, result);
  } catch (error) {
    failed(connection, error);
  }
}

/** An async handler's rejection counts like a throw. */
export function watch(connection: Any, result: unknown): void {
  onRejection(result, (error) => failed(connection, error));
}

export function fail(connection: Any, thrown: unknown): Error {
  const error = asError(thrown);
  if (!(connection._flags & Flag.closed)) extraOf(connection).failure ??= error;
  connection.reset();
  return error;
}

/** A handler threw: the connection's error if somebody wants it, else an uncaught exception. */
export function failed(connection: Any, thrown: unknown): void {
  const error = fail(connection, thrown);
  const { error: handler } = connection._endpoint;
  if (handler === undefined) uncaught(thrown);
  else callWith(handler, connection, error, uncaught);
}

/** Nobody decides what becomes of it. What its peer does not take would keep it open. */
export function timedOut(connection: Any): void {
  const message = 'No byte has moved for as long as idleTimeout allows';
  extraOf(connection).failure ??= new RingpollError('ERR_RINGPOLL_IDLE_TIMEOUT', message);
  if (connection.pendingBytes > 0) connection.reset();
  else connection.close();
}

export function hold(connection: Any, held: Held): void {
  extraOf(connection).held.push(held);
}

export function mustHold(connection: Any): boolean {
  if (connection._flags & Flag.piped) return false;
  if (connection._flags & Flag.paused) return true;
  return connection._extra !== undefined && connection._extra.held.length > 0;
}

/** Only data is worth waiting for: a connection without any does not wait for resume() to close. */
export function hasHeldData(connection: Any): boolean {
  return connection._extra?.held.some(({ kind }) => kind === 'data') ?? false;
}

function closesNext(connection: Any): boolean {
  return connection._extra?.held.at(-1)?.kind === 'close' && !hasHeldData(connection);
}

/** The end that came while the connection was paused goes before its close. */
export function runHeldEnd(connection: Any): void {
  if (connection._flags & OVER || connection._extra === undefined) return;
  if (connection._extra.held.some(({ kind }) => kind === 'end')) runEnd(connection);
}

/** True when somebody else ends the chunk. */
export function deliverData(connection: Any, chunk: Chunk): boolean {
  if (connection._flags & OVER) return false;
  if (mustHold(connection)) {
    chunk._keep();
    hold(connection, { kind: 'data', chunk });
    return true;
  }
  const iterated = connection._extra?.sink !== undefined;
  runData(connection, chunk);
  return iterated;
}

function runData(connection: Any, chunk: Chunk): void {
  const sink = connection._extra?.sink;
  if (sink !== undefined) {
    sink.data(chunk);
    return;
  }
  const { data } = connection._endpoint;
  if (data === undefined) return;
  try {
    const result = data(connection, chunk);
    if (result !== undefined) watch(connection, result);
  } catch (error) {
    failed(connection, error);
  }
}

export function deliverEnd(connection: Any): void {
  if (connection._flags & OVER) return;
  if (mustHold(connection)) {
    hold(connection, { kind: 'end' });
    return;
  }
  runEnd(connection);
}

function runEnd(connection: Any): void {
  connection._flags |= Flag.readEnded;
  if (connection._flags & Flag.piped) {
    connection._extra?.sink?.end();
    return;
  }
  const { end, allowHalfOpen } = connection._endpoint;
  if (end !== undefined) call(connection, end);
  const sink = connection._extra?.sink;
  sink?.end();
  if (!allowHalfOpen && sink?.endsWriting !== true) connection.end();
}

export function deliverDrain(connection: Any): void {
  const { _flags: flags } = connection;
  if (flags & Flag.unsent) sendMore(connection);
  settleSent(connection);
  if (flags & (Flag.unsent | OVER)) return;
  const low = connection._endpoint.highWaterMark / 2;
  const isRoom = !(flags & Flag.awaited) || connection.pendingBytes <= low;
  if (!(flags & Flag.drainWanted && isRoom)) {
    askForRoom(connection);
    return;
  }
  connection._flags &= ~Flag.drainWanted;
  if (connection._flags & Flag.awaited) askForRoom(connection);
  const { drain } = connection._endpoint;
  if (drain !== undefined && !(connection._flags & Flag.piped)) call(connection, drain);
  const waiting = connection._extra?.drained.splice(0);
  if (waiting !== undefined) for (const { resolve } of waiting) resolve();
}

export function runClose(connection: Any, networkError: Error | undefined): void {
  dropHeld(connection);
  const endpoint = connection._endpoint;
  const extra = connection._extra;
  (endpoint.listening ?? endpoint).closeHeld?.delete(connection);
  connection._flags |= Flag.closing | Flag.closed;
  dropUnsent(connection);
  if (connection._flags & Flag.connecting) {
    forget(endpoint, false);
    extra?.connecting?.refused(networkError ?? closedError());
    return;
  }
  extra?.leaving?.ended();
  const failure = extra?.failure;
  const error = failure ?? networkError;
  endpoint.protocol?.closed(connection, error);
  if (networkError !== undefined && failure === undefined && endpoint.error !== undefined) {
    callWith(endpoint.error, connection, networkError, uncaught);
  }
  // It goes on in another thread, whose handlers hear of its end.
  if (endpoint.close !== undefined && extra?.leaving?.gone !== true) {
    callWith(endpoint.close, connection, error, (thrown) => failed(connection, thrown));
  }
  if (extra !== undefined) {
    extra.closeError = error;
    endAwaited(connection, error);
    extra.sink?.close(error);
    if (error === undefined) extra.closed?.resolve();
    else extra.closed?.reject(error);
    for (const { reject } of extra.drained.splice(0)) reject(error ?? closedError());
  }
  forget(endpoint, true);
}

export function callWith<Of extends Any, Argument>(
  handler: (connection: Of, argument: Argument) => unknown,
  connection: Of,
  argument: Argument,
  threw: (thrown: unknown) => void,
): void {
  try {
    onRejection(handler(connection, argument), threw);
  } catch (error) {
    threw(error);
  }
}

function forget(endpoint: Behind, wasOpen: boolean): void {
  if (wasOpen) endpoint.connections--;
  endpoint.onConnectionClosed?.();
}

/** Delivers what has waited for resume(), as far as the handlers do not pause again. */
export function deliverHeld(connection: HasExtra): void {
  const any = connection as Any;
  const extra = extraOf(any);
  const mayGoOn = () => !(any._flags & Flag.paused) || closesNext(any);
  while (extra.held.length > 0 && mayGoOn()) {
    const held = extra.held.shift() as Held;
    if (held.kind === 'close') {
      runClose(any, held.error);
      return;
    }
    if (any._flags & OVER) continue;
    if (held.kind === 'end') {
      runEnd(any);
      continue;
    }
    runData(any, held.chunk);
    // An iterator keeps its chunks until the next one is asked for.
    if (extra.sink === undefined || any._flags & Flag.piped) held.chunk._endTurn(runtime().checked);
    ticks();
  }
  if (extra.held.length > 0 || any._flags & (Flag.paused | OVER | Flag.forgotten)) return;
  runtime().command(Command.resume, any._slot, any._generation);
}
