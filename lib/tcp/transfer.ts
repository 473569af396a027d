// connection.transfer(): to another thread of the group, where nothing of it is under way.
//
//   paused -> all that was written has left -> native code lets go, and what it has received is
//   held here -> into the box of the other thread, with those bytes -> closed here, without a word
import { constants } from 'node:os';
import { v8 } from '../builtins.js';
import { integer } from '../checks.js';
import { invalidArgType, invalidArgValue, outOfRange, RingpollError } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import { runtime } from '../runtime/runtime.js';
import { systemError } from '../runtime/system_error.js';
import { awaitSent } from './awaited.js';
import { Chunk } from './chunk.js';
import {
  closedError,
  dropHeld,
  extraOf,
  Flag,
  type Leaving,
  pipedError,
  transferError,
} from './connection_state.js';
import type { Deliverable } from './delivery.js';
import type { GroupPlace } from './endpoint.js';
import { inOrder } from './sending.js';

const UNREAD_MAX = 1024 * 1024;
/** Native code's kTransferNoteMax. */
const NOTE_MAX = 64 * 1024;
/** Answers of groupTransfer(): a Posting of native code's, or -errno. */
const TAKEN = 0;
const NOBODY = 1;
const FULL = 2;
const { EAGAIN, EBADF, EMSGSIZE, EPIPE } = constants.errno;
const SYSCALL_NONE = 0;

export interface TransferOptions {
  /**
   * For the `transferred` handler: what the structured clone algorithm takes, up to 64 KB in
   * node:v8's encoding. Default: undefined.
   */
  data?: unknown;
  /**
   * Bytes that were received and are to be delivered there once more, in front of all others: up to
   * 1 MB, copied before transfer() returns. Default: none.
   */
  unread?: Uint8Array | Chunk;
}

const OPTIONS = optionNames<TransferOptions>('transfer()', { data: true, unread: true });

/** A connection, as far as this knows it. */
interface Transferable extends Deliverable {
  readonly _endpoint: Deliverable['_endpoint'] & {
    readonly tls: unknown;
    readonly place: GroupPlace | undefined;
  };
  readonly _over: boolean;
  pause(): void;
  resume(): void;
  uncork(): void;
}

/** What was told of a connection, in the thread that it comes to. */
export function toldOf(note: Uint8Array | undefined): unknown {
  // What it makes may be views of the memory that it is given.
  return note === undefined ? undefined : v8().deserialize(Uint8Array.from(note));
}

function noteOf(data: unknown): Uint8Array {
  if (data === undefined) return new Uint8Array(0);
  let note: Uint8Array;
  try {
    note = v8().serialize(data);
  } catch {
    throw invalidArgValue('options.data', 'what the structured clone algorithm takes', data);
  }
  if (note.length > NOTE_MAX) {
    throw outOfRange('options.data', `at most ${NOTE_MAX} bytes when serialized`, note.length);
  }
  return note;
}

function unreadOf(unread: unknown): Uint8Array[] {
  if (unread === undefined) return [];
  const bytes = unread instanceof Chunk ? unread.bytes : unread;
  if (!(bytes instanceof Uint8Array)) {
    throw invalidArgType('options.unread', 'a Uint8Array or a Chunk', unread);
  }
  if (bytes.length > UNREAD_MAX) {
    throw outOfRange('options.unread.length', `at most ${UNREAD_MAX}`, bytes.length);
  }
  return bytes.length === 0 ? [] : [Uint8Array.from(bytes)];
}

/** @throws what keeps it from going */
function check(connection: Transferable, place: GroupPlace | undefined): GroupPlace {
  const { _flags: flags, _endpoint: endpoint } = connection;
  if (flags & Flag.leaving && connection._extra?.leaving?.gone !== true) {
    throw transferError('The connection is on its way to another thread already');
  }
  if (connection._over) throw closedError();
  if (flags & Flag.piped) throw pipedError('transfer()');
  if (connection._extra?.sink !== undefined) {
    const message = 'transfer(): the connection is iterated, or is a stream';
    throw new RingpollError('ERR_RINGPOLL_CONNECTION_BUSY', message);
  }
  if (endpoint.tls !== undefined || endpoint.protocol !== undefined) {
    throw transferError('A connection that speaks TLS or HTTP stays on its thread');
  }
  // One that was taken over from HTTP has no place of its own.
  if (place === undefined) {
    throw transferError('Only connections of a listener of a LoopGroup go to another thread');
  }
  checkBothOpen(flags);
  return place;
}

function checkBothOpen(flags: number): void {
  if (flags & (Flag.ending | Flag.readEnded)) {
    throw transferError('A connection that has ended on one side stays on its thread');
  }
}

export async function transfer(
  connection: Transferable,
  thread: number,
  options: TransferOptions,
): Promise<void> {
  checkOptions(OPTIONS, options);
  const place = check(connection, connection._endpoint.place);
  const to = integer('thread', thread, 0, place.threads - 1, -1);
  if (to < 0) throw invalidArgType('thread', 'a number', thread);
  const note = noteOf(options.data);
  const unread = unreadOf(options.unread);
  const paused = (connection._flags & Flag.paused) !== 0;
  const leaving: Leaving = { paused, gone: false, left() {}, ended() {} };
  connection.pause();
  connection.uncork();
  connection._flags |= Flag.leaving;
  extraOf(connection).leaving = leaving;
  try {
    await sent(connection, leaving);
    await new Promise<void>((resolve, reject) => {
      leaving.ended = () => reject(closedError());
      // In the call itself: there nothing of it is under way.
      leaving.left = () => {
        try {
          handOver(connection, place, to, unread, note);
          leaving.gone = true;
          resolve();
        } catch (error) {
          reject(error);
        }
      };
      const { _slot: slot, _generation: generation } = connection;
      refuse(runtime().native.letGo(slot, generation));
    });
  } catch (error) {
    stay(connection, leaving);
    throw error;
  }
}

/** All that was written has left. */
function sent(connection: Transferable, leaving: Leaving): Promise<void> | undefined {
  if (connection.pendingBytes === 0) return undefined;
  return new Promise((resolve, reject) => {
    leaving.ended = () => reject(closedError());
    inOrder(connection, () => awaitSent(connection, resolve, reject));
  });
}

/** What native code says of a connection that should leave. */
function refuse(answer: number): void {
  if (answer === TAKEN) return;
  switch (-answer) {
    case EBADF:
      throw closedError();
    case EPIPE:
      throw transferError('A connection that has ended on one side stays on its thread');
    case EMSGSIZE:
      throw transferError('More than 4 MB have come that were not consumed');
    case EAGAIN:
      throw transferError('Bytes of the connection wait to be sent');
    case -NOBODY:
      throw transferError('That thread does not serve now');
    case -FULL:
      throw transferError('1,024 connections are on their way to that thread');
    default:
      throw systemError(-answer, SYSCALL_NONE);
  }
}

function handOver(
  connection: Transferable,
  { group, listener }: GroupPlace,
  to: number,
  unread: Uint8Array[],
  note: Uint8Array,
): void {
  const { native } = runtime();
  const { _slot: slot, _generation: generation, _extra: extra } = connection;
  if (connection._over) throw closedError();
  if (connection._flags & Flag.ending) {
    native.stay(slot, generation);
    refuse(-EPIPE);
  }
  // The peer's FIN is told again there.
  const held =
    extra?.held.flatMap((each) => (each.kind === 'data' ? [each.chunk.bytes] : [])) ?? [];
  refuse(native.groupTransfer(group, to, listener, slot, generation, [...unread, ...held], note));
  connection._flags |= Flag.closing;
  dropHeld(connection);
}

function stay(connection: Transferable, leaving: Leaving): void {
  connection._flags &= ~Flag.leaving;
  extraOf(connection).leaving = undefined;
  if (!leaving.paused) connection.resume();
}
