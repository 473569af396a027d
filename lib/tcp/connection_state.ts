// What is kept of a connection beside the object that the user has: its flags, and what only few
// connections need.
import type { Duplex } from 'node:stream';
import { RingpollError } from '../errors.js';
import type { Chunk } from './chunk.js';
import type { ConnectionTls } from './connection_tls.js';
import type { Unsent } from './unsent.js';

/** What JavaScript knows of a connection's state. */
export const enum Flag {
  readEnded = 1, // the peer's FIN was delivered
  ending = 2, // end() was called
  closing = 4, // close(), reset() or a failure: no more data events
  closed = 8, // close was delivered
  paused = 16,
  drainWanted = 32,
  connecting = 64,
  corked = 128,
  forgotten = 256, // native code has closed it; its close event waits for resume()
  told = 512, // drained() has said that it is over
  unsent = 1024, // a long write is on its way: all else waits behind it
  awaited = 2048, // somebody waits until bytes have left
  piped = 4096, // in a pipeline: what it receives goes to another one
  leaving = 8192, // on its way to another thread, or there
}

export const OVER = Flag.closing | Flag.closed;

export type ReadyState = 'open' | 'readOnly' | 'writeOnly' | 'closing' | 'closed';

export function readyStateOf(flags: number, over: boolean): ReadyState {
  if (flags & Flag.closed) return 'closed';
  if (over) return 'closing';
  if (flags & Flag.ending) return flags & Flag.readEnded ? 'closing' : 'readOnly';
  return flags & Flag.readEnded ? 'writeOnly' : 'open';
}

/** A delivery that waits because the connection is paused. */
export type Held =
  | { kind: 'data'; chunk: Chunk }
  | { kind: 'end' }
  | { kind: 'close'; error?: Error };

/** What few connections need. */
export interface Extra {
  held: Held[];
  drained: { resolve(): void; reject(error: Error): void }[];
  /** A handler's error, which ends the connection. */
  failure: Error | undefined;
  /** While it is iterated, or a stream: takes data, end and close instead of the handlers. */
  sink: Sink | undefined;
  /** connection.toDuplex(), readable and writable, once they were asked for. */
  streams: Streams | undefined;
  /** connection.closed, once it was asked for. */
  closed: Deferred | undefined;
  /** What the close handler got. */
  closeError: Error | undefined;
  bytesRead: number;
  bytesWritten: number;
  connecting: Connecting | undefined;
  /** A long write that is on its way, and what waits behind it. */
  unsent: Unsent | undefined;
  /** Who waits until bytes have left. */
  awaited: Awaited | undefined;
  /** On its way to another thread. */
  leaving: Leaving | undefined;
  /** Once somebody has asked for it. */
  tls: ConnectionTls | undefined;
  /** What TLS ends the connection for, before its close. */
  tlsFailure: Error | undefined;
}

/** Who waits for the outcome of connect(). */
export interface Connecting {
  /** The kernel has connected; the open handler has not run. */
  configure(): void;
  /** It has run, or what comes before it has thrown. */
  opened(failure: Error | undefined): void;
  refused(error: Error): void;
}

/** Who waits until the kernel has taken what was written. */
export interface Awaited {
  /** Bytes that native code was given since the first one waits. */
  queued: number;
  waiting: {
    /** `queued` when it began to wait. */
    at: number;
    resolve(): void;
    reject(error: Error): void;
  }[];
}

/** A connection on its way to another thread. */
export interface Leaving {
  /** Whether it was paused, or was to be meanwhile: for the case that it stays. */
  paused: boolean;
  /** The other thread has it. */
  gone: boolean;
  /** The engine has let go of it, and all that it has received is held. */
  left(): void;
  /** It is over before that. */
  ended(): void;
}

export interface Sink {
  /** It takes nothing any more. */
  readonly over: boolean;
  /** Our side ends when the sink ends it, also if the peer has ended and allowHalfOpen is false. */
  readonly endsWriting?: boolean;
  /** The bytes are the sink's to end. */
  data(chunk: Chunk): void;
  end(): void;
  close(error?: Error): void;
  /** In a pipeline: what native code has forwarded; before the close. */
  piped?(bytes: number, splicedBytes: number): void;
}

export interface Deferred {
  readonly promise: Promise<void>;
  resolve(): void;
  reject(error: Error): void;
}

export interface Streams {
  duplex?: Duplex;
  readable?: ReadableStream<Uint8Array>;
  writable?: WritableStream<string | Uint8Array | Chunk>;
}

/** Any connection, whatever its data. */
export interface HasExtra {
  _extra: Extra | undefined;
}

/** @internal */
export function extraOf(connection: HasExtra): Extra {
  connection._extra ??= {
    held: [],
    drained: [],
    failure: undefined,
    sink: undefined,
    streams: undefined,
    closed: undefined,
    closeError: undefined,
    bytesRead: 0,
    bytesWritten: 0,
    connecting: undefined,
    unsent: undefined,
    awaited: undefined,
    leaving: undefined,
    tls: undefined,
    tlsFailure: undefined,
  };
  return connection._extra;
}

/** @internal Data that nobody will see. */
export function dropHeld(connection: HasExtra): void {
  const extra = connection._extra;
  if (extra === undefined) return;
  for (const held of extra.held) if (held.kind === 'data') held.chunk.release();
  extra.held = extra.held.filter((held) => held.kind === 'close');
}

/** @internal */
export function pipedError(call: string): RingpollError {
  const message = `${call}: the connection is in a pipeline, which reads and writes it`;
  return new RingpollError('ERR_RINGPOLL_PIPED', message);
}

/** @internal */
export function transferError(why: string): RingpollError {
  return new RingpollError('ERR_RINGPOLL_TRANSFER_REFUSED', why);
}

/** @internal */
export function closedError(): RingpollError {
  return new RingpollError('ERR_RINGPOLL_CONNECTION_CLOSED', 'The connection is closed');
}

/** Whether bytes may be written, by the flags of a connection. @throws why not */
export function checkMayWrite(flags: number, call: string): void {
  if (flags & OVER) return;
  if (flags & Flag.piped) throw pipedError(call);
  if (flags & Flag.leaving) throw transferError(`${call}: it is on its way to another thread`);
  if (flags & Flag.ending) {
    throw new RingpollError('ERR_RINGPOLL_WRITE_AFTER_END', 'write after end()');
  }
}
