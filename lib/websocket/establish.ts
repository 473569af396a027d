// One attempt of a client: a connection, the handshake, and what came behind it.
import { Buffer } from 'node:buffer';
import type { Chunk } from '../tcp/chunk.js';
import { connect } from '../tcp/connect.js';
import type { Connection } from '../tcp/connection.js';
import {
  ANSWER_HEAD_BYTES_MAX,
  type Answer,
  type Asked,
  readAnswer,
  requestHead,
  WebSocketHandshakeError,
} from './client_handshake.js';
import type { Goal } from './client_url.js';

export interface Attempt {
  goal: Goal;
  asked: Asked;
  /** Options of connect(): TLS, the local address, time-outs. */
  connectOptions: Readonly<Record<string, unknown>>;
  /** Milliseconds for the answer, 0: no limit. */
  handshakeTimeoutMs: number;
  signal: AbortSignal | undefined;
}

export interface Established {
  connection: Connection;
  answer: Answer;
  /** The bytes that came behind the answer; they are frames already. */
  rest: Uint8Array | undefined;
}

const END_OF_HEAD = '\r\n\r\n';

/** Collects the answer to the handshake, and gives what came behind it. */
class AnswerReader {
  #pieces: Buffer[] = [];
  #length = 0;

  /** The head with its empty line, and the rest; undefined: not there yet. */
  take(bytes: Uint8Array): { head: string; rest: Uint8Array } | undefined {
    this.#pieces.push(Buffer.from(bytes));
    this.#length += bytes.length;
    const whole = this.#pieces.length === 1 ? this.#pieces[0] : Buffer.concat(this.#pieces);
    this.#pieces = [whole];
    const end = whole.indexOf(END_OF_HEAD);
    if ((end < 0 ? this.#length : end) > ANSWER_HEAD_BYTES_MAX) {
      throw new WebSocketHandshakeError(
        `The head of the answer is longer than ${ANSWER_HEAD_BYTES_MAX} bytes`,
      );
    }
    if (end < 0) return undefined;
    const length = end + END_OF_HEAD.length;
    return { head: whole.toString('latin1', 0, length), rest: whole.subarray(length) };
  }
}

/**
 * Connects and shakes hands. `take` is called within the data handler that gets the end of the
 * answer: from its return on no byte is read as anything but a frame.
 * @returns rejects with what connect() rejects with, or a WebSocketHandshakeError
 */
export function establish<Taken>(
  attempt: Attempt,
  take: (established: Established) => Taken,
): Promise<Taken> {
  const { goal, asked, signal } = attempt;
  return new Promise<Taken>((resolve, reject) => {
    const reader = new AnswerReader();
    let timer: NodeJS.Timeout | undefined;
    let settled = false;
    const settle = (work: () => void) => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      work();
    };
    const give = (connection: Connection | undefined, error: unknown) =>
      settle(() => {
        connection?.reset();
        reject(signal?.aborted ? signal.reason : error);
      });
    const late = (connection: Connection) => {
      const text = `No answer to the handshake within ${attempt.handshakeTimeoutMs} ms`;
      give(connection, new WebSocketHandshakeError(text));
    };
    const data = (connection: Connection, chunk: Chunk) => {
      if (settled) return;
      try {
        const found = reader.take(chunk.bytes);
        if (found === undefined) return;
        const answer = readAnswer(found.head, asked);
        const rest = found.rest.length === 0 ? undefined : found.rest;
        const taken = take({ connection, answer, rest });
        settle(() => resolve(taken));
      } catch (error) {
        give(connection, error);
      }
    };
    const options = {
      ...attempt.connectOptions,
      ...(signal !== undefined && { signal }),
      host: goal.host,
      port: goal.port,
      open(connection: Connection) {
        connection.write(requestHead(goal, asked));
        const { handshakeTimeoutMs } = attempt;
        if (handshakeTimeoutMs > 0) timer = setTimeout(late, handshakeTimeoutMs, connection);
      },
      data,
      end(connection: Connection) {
        give(connection, new WebSocketHandshakeError('The server ended the connection'));
      },
      error(connection: Connection, error: Error) {
        give(connection, error);
      },
      close(_: Connection, error?: Error) {
        const text = 'The connection was closed before the answer';
        give(undefined, error ?? new WebSocketHandshakeError(text));
      },
    };
    connect(options).catch((error: unknown) => give(undefined, error));
  });
}
