// One call per turn: walks the events that native code has written and runs the handlers.
import { asError, RingpollError } from '../errors.js';
import { Chunk } from '../tcp/chunk.js';
import {
  Connection,
  closedError,
  dropHeld,
  extraOf,
  Flag,
  type HasExtra,
  type Held,
  setHeldDelivery,
} from '../tcp/connection.js';
import type { Group } from '../tcp/group.js';
import { Control, Event, RECORD_WORDS } from './protocol.js';
import { onRejection } from './rejection.js';
import { type Runtime, setTurnHandler } from './runtime.js';
import { systemError } from './system_error.js';

type Any = Connection;

const OVER = Flag.closing | Flag.closed;
const TWO_TO_32 = 2 ** 32;

// Node's own way to run next ticks and microtasks now. With nothing queued it costs some 20 ns, and
// it makes many handlers in one call look like one call each.
const runTicks: () => void =
  (process as unknown as { _tickCallback?: () => void })._tickCallback ?? (() => {});

/** So many requests of one connection are delivered before what their handlers have queued runs. */
const TOGETHER_MAX = 16;

let current: Runtime;

// All handlers of a turn run in one callback, and so with one execution resource. What one of them
// enters into it (AsyncLocalStorage.enterWith) must not be there for the next.
let entered = false;
const stores: Record<PropertyKey, unknown> = {};
const turnResource = new Proxy(stores, {
  set(target, key, value) {
    entered = true;
    target[key as string] = value;
    return true;
  },
});

function leaveStores(): void {
  entered = false;
  for (const key of Reflect.ownKeys(stores)) delete stores[key as string];
}

/** Where the walk over the events of this turn is; for whoever goes on behind a throw. */
let walkedTo = 0;

/** No throw ends the walk: the rest of the events belongs to others. */
function walkEvents(runtime: Runtime): void {
  current = runtime;
  if (entered) leaveStores();
  const end = runtime.control[Control.eventCount] * RECORD_WORDS;
  for (let from = 0; from < end; from = walkedTo + RECORD_WORDS) {
    try {
      walk(runtime, from, end);
    } catch (error) {
      broken(runtime, walkedTo, error);
      leaveStores();
    }
  }
  try {
    afterEvents();
  } catch (error) {
    uncaught(error);
  }
}

function walk(runtime: Runtime, from: number, end: number): void {
  const { events } = runtime;
  let together = 1;
  for (let at = from; at < end; at += RECORD_WORDS) {
    walkedTo = at;
    const slot = events[at + 1];
    const generation = events[at + 2];
    switch (events[at]) {
      case Event.data: {
        const slab = runtime.memory.slabs[events[at + 3]];
        const chunk = new Chunk(slab, events[at + 4], events[at + 5], events[at + 6]);
        const connection = connectionAt(slot, generation, events[at + 7]);
        if (connection === undefined || !deliverData(connection, chunk)) {
          chunk._endTurn(runtime.checked);
        }
        break;
      }
      case Event.open:
        opened(slot, generation, events[at + 7]);
        break;
      case Event.end: {
        const connection = connectionAt(slot, generation, events[at + 7]);
        if (connection === undefined) break;
        const { protocol } = connection._group;
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
        const { timeout } = connection._group;
        if (timeout === undefined) timedOut(connection);
        else call(connection, timeout);
        break;
      }
      case Event.close:
        closed(at, slot, generation);
        break;
      case Event.connected:
        connected(slot, generation);
        break;
      case Event.acceptError:
        runtime.groups[events[at + 7]]?.onAcceptError?.(events[at + 3]);
        break;
      case Event.listenerClosed:
        runtime.groups[events[at + 7]]?.onListenerClosed?.();
        break;
      case Event.file:
      case Event.fileFetch:
        runtime.files?.event(events[at], at);
        break;
      default:
        runtime.groups[events[at + 7]]?.protocol?.event(events[at], at);
    }
    const more = at + RECORD_WORDS < end;
    together = more && continues(events, at) ? together + 1 : 1;
    if (more && together % TOGETHER_MAX === 1) ticks();
    if (entered) leaveStores();
  }
}

/**
 * Not a handler has thrown, for these are watched, but what stands between. Its connection has lost
 * an event and must not go on as if it had not.
 */
function broken(runtime: Runtime, at: number, error: unknown): void {
  const { events, connections } = runtime;
  const ofFile = events[at] === Event.file || events[at] === Event.fileFetch;
  const connection = ofFile ? undefined : connections[events[at + 1]];
  if (connection?._generation === events[at + 2]) failed(connection, error);
  else uncaught(error);
}

/** Requests that one connection sent together are one delivery, as in node:http. */
function continues(events: Int32Array, at: number): boolean {
  return (
    events[at] === Event.request &&
    events[at + RECORD_WORDS] === Event.request &&
    events[at + 1] === events[at + RECORD_WORDS + 1]
  );
}

let afterEvents: () => void = () => {};
/** Runs when the events of a turn have been walked: for what gathers over several of them. */
export function setAfterEvents(run: () => void): void {
  afterEvents = run;
}

/**
 * What a handler has queued runs before the next one, as between two of Node's callbacks.
 * @internal
 */
export function ticks(): void {
  try {
    runTicks();
  } catch (error) {
    uncaught(error);
  }
}

/** @internal */
export function uncaught(error: unknown): void {
  current.native.fatalException(error);
}

/** Connections are made when the first handler needs them: an idle one may never be. */
export function connectionAt(slot: number, generation: number, owner: number): Any | undefined {
  const { connections, groups } = current;
  const known = connections[slot];
  if (known !== undefined) return known._generation === generation ? known : undefined;
  const group = groups[owner];
  if (group === undefined) return undefined;
  const connection = new Connection(group, slot, generation);
  connections[slot] = connection;
  return connection;
}

function opened(slot: number, generation: number, owner: number): void {
  const group = current.groups[owner];
  if (group === undefined) return;
  group.connections++;
  group.natives++;
  if (group.open === undefined && group.data !== undefined) {
    while (current.connections.length <= slot) current.connections.push(undefined);
    return;
  }
  const connection = connectionAt(slot, generation, owner);
  if (connection === undefined) return;
  if (group.data === undefined) connection.pause();
  if (group.open !== undefined) call(connection, group.open);
}

function connected(slot: number, generation: number): void {
  const connection = current.connections[slot];
  if (connection === undefined || connection._generation !== generation) return;
  if (connection._flags & OVER) return;
  connection._flags &= ~Flag.connecting;
  const group = connection._group;
  group.connections++;
  if (group.data === undefined) connection.pause();
  const { connecting } = extraOf(connection);
  let failure: Error | undefined;
  try {
    connecting?.configure();
    if (group.open !== undefined) watch(connection, group.open(connection));
  } catch (error) {
    failure = fail(connection, error);
    // Without that handler it is no uncaught exception: whoever waits for connect() hears of it.
    if (group.error !== undefined) callWith(group.error, connection, failure, uncaught);
  }
  connecting?.opened(failure);
}

function call(connection: Any, handler: (connection: Any) => unknown): void {
  try {
    const result = handler(connection);
    if (result !== undefined) watch(connection, result);
  } catch (error) {
    failed(connection, error);
  }
}

/** An async handler's rejection counts like a throw. */
function watch(connection: Any, result: unknown): void {
  onRejection(result, (error) => failed(connection, error));
}

function fail(connection: Any, thrown: unknown): Error {
  const error = asError(thrown);
  if (!(connection._flags & Flag.closed)) extraOf(connection).failure ??= error;
  connection.reset();
  return error;
}

/** A handler threw: the connection's error if somebody wants it, else an uncaught exception. */
function failed(connection: Any, thrown: unknown): void {
  const error = fail(connection, thrown);
  const { error: handler } = connection._group;
  if (handler === undefined) uncaught(thrown);
  else callWith(handler, connection, error, uncaught);
}

/** Nobody decides what becomes of it. What its peer does not take would keep it open. */
function timedOut(connection: Any): void {
  const message = 'No byte has moved for as long as idleTimeout allows';
  extraOf(connection).failure ??= new RingpollError('ERR_RINGPOLL_IDLE_TIMEOUT', message);
  if (connection.pendingBytes > 0) connection.reset();
  else connection.close();
}

function hold(connection: Any, held: Held): void {
  extraOf(connection).held.push(held);
}

function mustHold(connection: Any): boolean {
  if (connection._flags & Flag.paused) return true;
  return connection._extra !== undefined && connection._extra.held.length > 0;
}

/** Only data is worth waiting for: a connection without any does not wait for resume() to close. */
function hasHeldData(connection: Any): boolean {
  return connection._extra?.held.some(({ kind }) => kind === 'data') ?? false;
}

function closesNext(connection: Any): boolean {
  return connection._extra?.held.at(-1)?.kind === 'close' && !hasHeldData(connection);
}

/** The end that came while the connection was paused goes before its close. */
function runHeldEnd(connection: Any): void {
  if (connection._flags & OVER || connection._extra === undefined) return;
  if (connection._extra.held.some(({ kind }) => kind === 'end')) runEnd(connection);
}

/** True when somebody else ends the chunk. */
function deliverData(connection: Any, chunk: Chunk): boolean {
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
  const { data } = connection._group;
  if (data === undefined) return;
  try {
    const result = data(connection, chunk);
    if (result !== undefined) watch(connection, result);
  } catch (error) {
    failed(connection, error);
  }
}

/** @internal */
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
  const { end, allowHalfOpen } = connection._group;
  if (end !== undefined) call(connection, end);
  connection._extra?.sink?.end();
  if (!allowHalfOpen) connection.end();
}

function deliverDrain(connection: Any): void {
  if (connection._flags & OVER) return;
  connection._flags &= ~Flag.drainWanted;
  const { drain } = connection._group;
  if (drain !== undefined) call(connection, drain);
  const waiting = connection._extra?.drained.splice(0);
  if (waiting !== undefined) for (const { resolve } of waiting) resolve();
}

function closed(at: number, slot: number, generation: number): void {
  const { events } = current;
  const group = current.groups[events[at + 7]];
  if (group === undefined) return;
  group.natives--;
  const connection = connectionAt(slot, generation, events[at + 7]);
  if (connection === undefined) return;
  const errno = events[at + 3] & 0xffffff;
  const error = errno === 0 ? undefined : systemError(errno, events[at + 3] >>> 24);
  const extra = extraOf(connection);
  const highs = events[at + 6] >>> 0;
  extra.bytesRead = (highs >>> 16) * TWO_TO_32 + (events[at + 4] >>> 0);
  extra.bytesWritten = (highs & 0xffff) * TWO_TO_32 + (events[at + 5] >>> 0);
  // Native code may use the slot again; what is still held belongs to the object alone.
  current.connections[slot] = undefined;
  const paused =
    !(connection._flags & OVER) &&
    error === undefined &&
    connection._group.protocol === undefined &&
    hasHeldData(connection);
  if (paused) {
    connection._flags |= Flag.forgotten;
    hold(connection, { kind: 'close' });
    group.closeHeld ??= new Set();
    group.closeHeld.add(connection);
    group.onCloseHeld?.();
    return;
  }
  if (error === undefined) runHeldEnd(connection);
  runClose(connection, error);
}

function runClose(connection: Any, networkError: Error | undefined): void {
  dropHeld(connection);
  const group = connection._group;
  const extra = connection._extra;
  (group.listening ?? group).closeHeld?.delete(connection);
  connection._flags |= Flag.closing | Flag.closed;
  if (connection._flags & Flag.connecting) {
    forget(group, false);
    extra?.connecting?.refused(networkError ?? closedError());
    return;
  }
  const failure = extra?.failure;
  const error = failure ?? networkError;
  group.protocol?.closed(connection, error);
  if (networkError !== undefined && failure === undefined && group.error !== undefined) {
    callWith(group.error, connection, networkError, uncaught);
  }
  if (group.close !== undefined) {
    callWith(group.close, connection, error, (thrown) => failed(connection, thrown));
  }
  if (extra !== undefined) {
    extra.sink?.close(error);
    for (const { reject } of extra.drained.splice(0)) reject(error ?? closedError());
  }
  forget(group, true);
}

function callWith<Argument>(
  handler: (connection: Any, argument: Argument) => unknown,
  connection: Any,
  argument: Argument,
  threw: (thrown: unknown) => void,
): void {
  try {
    onRejection(handler(connection, argument), threw);
  } catch (error) {
    threw(error);
  }
}

function forget(group: Group, wasOpen: boolean): void {
  if (wasOpen) group.connections--;
  group.onConnectionClosed?.();
}

/** Delivers what has waited for resume(), as far as the handlers do not pause again. */
function deliverHeld(connection: HasExtra): void {
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
    // A sink keeps its chunks until the next one is asked for.
    if (extra.sink === undefined) held.chunk._endTurn(current.checked);
    ticks();
  }
}

setTurnHandler(walkEvents, turnResource);
setHeldDelivery(deliverHeld);
