// pipeline(): two connections of which each sends what the other one receives. Native code moves
// the bytes; what JavaScript had received before goes first.
import { invalidArgType, invalidArgValue, RingpollError } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import { runtime } from '../runtime/runtime.js';
import type { Chunk } from './chunk.js';
import { Connection } from './connection.js';
import { closedError, extraOf, Flag, pipedError, type Sink } from './connection_state.js';

export interface PipelineOptions {
  /**
   * Whether bytes are moved inside of the kernel, by splice(2). 'auto': from 32 KB at a time on,
   * when that costs less CPU time, which is measured while they move. 'always': whenever it can
   * be, 'never': they are copied through this process. Over TLS, and where there is no splice(2),
   * they are always copied. Default: 'auto'.
   */
  splice?: 'auto' | 'always' | 'never';
  /** Aborting destroys both connections; the promise rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** What a pipeline has moved; over TLS these are the bytes inside of it. */
export interface PipelineReport {
  /** Bytes that the first connection has received for the second one. */
  forwardBytes: number;
  /** Bytes that the second connection has received for the first one. */
  backwardBytes: number;
  /** Of both, those that were moved inside of the kernel. */
  splicedBytes: number;
}

const OPTIONS = optionNames<PipelineOptions>('pipeline()', { splice: true, signal: true });

/** In the order of native code's PipeWay. */
const WAYS = ['auto', 'always', 'never'] as const;

/** native/core/loop/pipelines.h, PipeRefusal. */
const enum Refusal {
  none,
  closed,
  ended,
  piped,
  protocol,
}
/** Above it: the second connection is the one that is refused. */
const OF_SECOND = 16;

class Side implements Sink {
  /** Of a sink: it takes bytes as long as there are any. */
  readonly over = false;
  forwarded = 0;
  spliced = 0;
  closed = false;
  readonly #connection: Connection;
  readonly #other: Connection;
  readonly #told: (error: Error | undefined) => void;

  constructor(connection: Connection, other: Connection, over: (error?: Error) => void) {
    this.#connection = connection;
    this.#other = other;
    this.#told = over;
  }

  data(chunk: Chunk): void {
    const loop = runtime();
    if (!this.#other._over) {
      this.forwarded += chunk.length;
      this.#other._sendChunk(loop, chunk);
    }
    chunk._endTurn(loop.checked);
  }

  end(): void {
    this.#other._end();
  }

  piped(bytes: number, splicedBytes: number): void {
    this.forwarded += bytes;
    this.spliced = splicedBytes;
  }

  close(error?: Error): void {
    this.closed = true;
    // A stream that was cut off must not look whole to the other peer.
    if (error === undefined) this.#other.close();
    else this.#other.reset();
    this.#told(error);
  }

  /** What JavaScript has and no handler has seen, in order. */
  takeHeld(): void {
    const { held } = extraOf(this.#connection);
    for (const each of held.splice(0)) {
      if (each.kind === 'data') {
        this.data(each.chunk);
      } else if (each.kind === 'end') {
        this.#connection._flags |= Flag.readEnded;
        this.end();
      }
    }
  }
}

/**
 * Joins two connections: each sends what the other one receives, until both are over. A peer's FIN
 * is passed on, and the other direction goes on. When one connection fails, the other one is reset;
 * when one is closed here, the other one is closed when what waits for it has left. No more is read
 * from one side than the other side takes: at most 256 KB and what one turn brings wait, or 512 KB
 * in a pipe.
 *
 * From now on no data, drain or end handler of them runs; timeout, error and close do. write(),
 * end(), cork() and iterating throw ERR_RINGPOLL_PIPED. close(), destroy(), reset(), setTimeout(),
 * setRoute(), bytesRead and bytesWritten work; pause() stops what comes from that side.
 *
 * Copies: none in this process for bytes that are spliced; otherwise none beside those of the
 * kernel, in and out. Over TLS one, by its cipher.
 * @returns resolves when both connections are closed, in order; rejects with the error of the one
 *   that failed first, when both are closed, and with ERR_RINGPOLL_CONNECTION_CLOSED when one was
 *   over already, in which case the other one is closed
 * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE, _INVALID_ARG_VALUE, _UNKNOWN_OPTION
 * @throws RingpollError ERR_RINGPOLL_PIPED for a connection that is in a pipeline,
 *   ERR_RINGPOLL_NOT_PIPEABLE for one that speaks HTTP or WebSocket, is read by a loop or a stream,
 *   has ended, or has a long write under way
 */
export function pipeline(
  first: Connection,
  second: Connection,
  options: PipelineOptions = {},
): Promise<PipelineReport> {
  const { way, signal } = checkedOptions(options);
  const pair = [first, second] as const;
  pair.forEach((connection, index) => {
    const name = index === 0 ? 'first' : 'second';
    if (!(connection instanceof Connection)) {
      throw invalidArgType(name, 'a connection', connection);
    }
  });
  if (first === second) throw invalidArgValue('second', 'another connection', second);
  for (const connection of pair) checkPipeable(connection);
  for (const [one, other] of [pair, [second, first]]) {
    if (!one._over && !signal?.aborted) continue;
    other.close();
    one.close();
    return Promise.reject(signal?.aborted ? signal.reason : closedError());
  }
  return join(first, second, way, signal);
}

function checkedOptions(options: PipelineOptions): {
  way: number;
  signal: AbortSignal | undefined;
} {
  checkOptions(OPTIONS, options);
  const { splice = 'auto', signal } = options;
  const way = WAYS.indexOf(splice);
  if (way < 0) throw invalidArgValue('options.splice', `one of ${WAYS.join(', ')}`, splice);
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidArgType('options.signal', 'an AbortSignal', signal);
  }
  return { way, signal };
}

function notPipeable(why: string): RingpollError {
  return new RingpollError('ERR_RINGPOLL_NOT_PIPEABLE', `pipeline(): the connection ${why}`);
}

function checkPipeable(connection: Connection): void {
  const { _flags: flags, _extra: extra, _endpoint: endpoint } = connection;
  if (connection._over) return;
  if (flags & Flag.piped) throw pipedError('pipeline()');
  if (endpoint.protocol !== undefined) throw notPipeable('speaks a protocol that reads it');
  if (extra?.sink?.over === false) throw notPipeable('is read by a loop or a stream');
  if (flags & Flag.connecting) throw notPipeable('is not open yet');
  if (flags & Flag.ending) throw notPipeable('has ended: nothing can be sent on it');
  if (flags & Flag.unsent) throw notPipeable('has a long write under way: wait for drained()');
}

function join(
  first: Connection,
  second: Connection,
  way: number,
  signal: AbortSignal | undefined,
): Promise<PipelineReport> {
  const loop = runtime();
  let failure: Error | undefined;
  let settle: () => void = () => {};
  const over = (error?: Error) => {
    failure ??= error;
    if (sides[0].closed && sides[1].closed) settle();
  };
  const sides = [new Side(first, second, over), new Side(second, first, over)] as const;
  for (const [index, connection] of [first, second].entries()) {
    extraOf(connection).sink = sides[index];
    connection._flags |= Flag.piped;
    connection._flags &= ~(Flag.paused | Flag.corked | Flag.drainWanted);
  }
  const ended = [first, second].map(({ _flags: flags }) => (flags & Flag.readEnded) !== 0);
  for (const side of sides) side.takeHeld();
  const { _slot: slot, _generation: generation } = first;
  const refused = loop.native.pipe(slot, generation, second._slot, second._generation, way);
  const refusal = refused % OF_SECOND;
  if (refusal !== Refusal.none) return refuse(first, second, refusal);
  sides.forEach((side, index) => {
    if (ended[index]) side.end();
  });
  const abort = () => {
    failure ??= signal?.reason instanceof Error ? signal.reason : closedError();
    first.destroy();
    second.destroy();
  };
  signal?.addEventListener('abort', abort, { once: true });
  return new Promise((resolve, reject) => {
    settle = () => {
      signal?.removeEventListener('abort', abort);
      if (failure !== undefined) {
        reject(failure);
        return;
      }
      resolve({
        forwardBytes: sides[0].forwarded,
        backwardBytes: sides[1].forwarded,
        splicedBytes: sides[0].spliced + sides[1].spliced,
      });
    };
  });
}

/** Native code knows better: it is over, or about to be, or not raw. */
function refuse(first: Connection, second: Connection, refusal: number): Promise<PipelineReport> {
  for (const connection of [first, second]) {
    connection._flags &= ~Flag.piped;
    extraOf(connection).sink = undefined;
  }
  if (refusal === Refusal.protocol) throw notPipeable('speaks a protocol that reads it');
  for (const connection of [first, second]) connection.close();
  return Promise.reject(closedError());
}
