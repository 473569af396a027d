// The file of a flight recorder: its head, which is written here, and what native code writes
// behind it (native/core/loop/flight_ring.h). The reader believes nothing of it.
import { RingpollError } from '../errors.js';

const MAGIC = 'RINGPOLL';
/** Of the format. A reader refuses any other. */
const VERSION = 1;
const WORD_BYTES = 8;
const HEAD_WORDS = 32;
const ROW_WORDS = 8;
const HEAD_BYTES = HEAD_WORDS * WORD_BYTES;
const ROW_BYTES = ROW_WORDS * WORD_BYTES;
export const FLIGHT_TURNS_MAX = 2 ** 20;
export const FLIGHT_BYTES_MAX = HEAD_BYTES + FLIGHT_TURNS_MAX * ROW_BYTES;
const NS_PER_MS = 1e6;

const enum Byte {
  version = 8,
  headWords = 12,
  rows = 16,
  rowWords = 20,
  pid = 24,
  thread = 28,
  unixNs = 32,
  clockNs = 40,
  written = 64,
  phase = 72,
  phaseSince = 80,
  text = 128,
}
const TEXT_BYTES = HEAD_BYTES - Byte.text;

/** In the order of native code's FlightPhase. */
const PHASES = ['host', 'sending', 'waiting', 'receiving', 'javascript'] as const;
export type FlightPhase = (typeof PHASES)[number];

/** One turn; times are milliseconds since 1970, or lengths in milliseconds. */
export interface FlightTurn {
  /** From 1 on, since recording began. */
  turn: number;
  at: number;
  ms: number;
  receiving: number;
  javascript: number;
  sending: number;
  /** Before it, for events. */
  waited: number;
  events: number;
}

export interface Flight {
  /** What has written it: versions, engine and system. */
  text: string;
  pid: number;
  /** The number of the thread; 0 is the main thread. */
  thread: number;
  began: number;
  /** Turns that were written, the forgotten ones too. */
  written: number;
  /** Turns that the file has room for. */
  room: number;
  /** Rows that were being written at that moment, or make no sense. */
  damaged: number;
  /** What the thread did at last, and since when. */
  phase: FlightPhase;
  phaseSince: number;
  /** Oldest first. */
  turns: FlightTurn[];
}

export interface FlightHead {
  rows: number;
  pid: number;
  thread: number;
  /** The same moment by two clocks. */
  unixMs: number;
  clockNs: number;
  text: string;
}

export const flightBytes = (rows: number): number => HEAD_BYTES + rows * ROW_BYTES;

export function flightHead(head: FlightHead): Buffer {
  const bytes = Buffer.alloc(HEAD_BYTES);
  bytes.write(MAGIC, 'latin1');
  bytes.writeUInt32LE(VERSION, Byte.version);
  bytes.writeUInt32LE(HEAD_WORDS, Byte.headWords);
  bytes.writeUInt32LE(head.rows, Byte.rows);
  bytes.writeUInt32LE(ROW_WORDS, Byte.rowWords);
  bytes.writeUInt32LE(head.pid, Byte.pid);
  bytes.writeUInt32LE(head.thread, Byte.thread);
  bytes.writeBigUInt64LE(BigInt(Math.round(head.unixMs * NS_PER_MS)), Byte.unixNs);
  bytes.writeBigUInt64LE(BigInt(Math.round(head.clockNs)), Byte.clockNs);
  bytes.write(head.text.slice(0, TEXT_BYTES), Byte.text, 'latin1');
  return bytes;
}

/** Whether a file that begins so is one of ours, of whatever version. */
export const isFlight = (bytes: Buffer): boolean =>
  bytes.toString('latin1', 0, MAGIC.length) === MAGIC;

function invalid(what: string): RingpollError {
  return new RingpollError('ERR_RINGPOLL_RECORDING_INVALID', `Not a recording of turns: ${what}`);
}

/** @throws RingpollError ERR_RINGPOLL_RECORDING_INVALID */
export function readFlight(bytes: Buffer): Flight {
  if (bytes.length < HEAD_BYTES) {
    throw invalid(`it has ${bytes.length} bytes, and the head alone has ${HEAD_BYTES}`);
  }
  if (!isFlight(bytes)) throw invalid(`it does not begin with ${MAGIC}`);
  const version = bytes.readUInt32LE(Byte.version);
  if (version !== VERSION) {
    throw invalid(`its format has version ${version}, and this reader knows ${VERSION}`);
  }
  const room = bytes.readUInt32LE(Byte.rows);
  const sizes = [bytes.readUInt32LE(Byte.headWords), bytes.readUInt32LE(Byte.rowWords)];
  if (sizes[0] !== HEAD_WORDS || sizes[1] !== ROW_WORDS) {
    throw invalid(`its head and rows have ${sizes.join(' and ')} words`);
  }
  if (room < 1 || room > FLIGHT_TURNS_MAX) throw invalid(`it says that it has ${room} rows`);
  if (bytes.length < flightBytes(room)) {
    throw invalid(`it is cut off: ${bytes.length} of ${flightBytes(room)} bytes are there`);
  }
  const word = (at: number) => Number(bytes.readBigUInt64LE(at));
  const written = word(Byte.written);
  if (!Number.isSafeInteger(written)) throw invalid(`it says that it has had ${written} turns`);
  const phase = PHASES[word(Byte.phase)];
  if (phase === undefined) throw invalid(`it knows a phase ${word(Byte.phase)}`);
  const origin = bytes.readBigUInt64LE(Byte.unixNs) - bytes.readBigUInt64LE(Byte.clockNs);
  const toUnix = (at: number) => Number(bytes.readBigUInt64LE(at) + origin) / NS_PER_MS;
  const turns: FlightTurn[] = [];
  const first = Math.max(0, written - room);
  for (let index = first; index < written; index++) {
    const turn = readRow(bytes, HEAD_BYTES + (index % room) * ROW_BYTES, index + 1, toUnix);
    if (turn !== undefined) turns.push(turn);
  }
  const [text] = bytes.toString('latin1', Byte.text, HEAD_BYTES).split('\0');
  return {
    text: text.replace(/[^\x20-\x7e]/g, '?'),
    pid: bytes.readUInt32LE(Byte.pid),
    thread: bytes.readUInt32LE(Byte.thread),
    began: Number(bytes.readBigUInt64LE(Byte.unixNs)) / NS_PER_MS,
    written,
    room,
    damaged: written - first - turns.length,
    phase,
    phaseSince: written === 0 && word(Byte.phaseSince) === 0 ? 0 : toUnix(Byte.phaseSince),
    turns,
  };
}

/** undefined: the row is another's, or makes no sense. */
function readRow(
  bytes: Buffer,
  at: number,
  turn: number,
  toUnix: (at: number) => number,
): FlightTurn | undefined {
  const word = (index: number) => Number(bytes.readBigUInt64LE(at + index * WORD_BYTES));
  if (word(0) !== turn || word(ROW_WORDS - 1) !== turn) return undefined;
  const start = word(1);
  const end = word(4);
  const isWalked = word(2) !== 0;
  const ready = isWalked ? word(2) : end;
  const walked = isWalked ? word(3) : end;
  if (!(start <= ready && ready <= walked && walked <= end)) return undefined;
  return {
    turn,
    at: toUnix(at + WORD_BYTES),
    ms: (end - start) / NS_PER_MS,
    receiving: (ready - start) / NS_PER_MS,
    javascript: (walked - ready) / NS_PER_MS,
    sending: (end - walked) / NS_PER_MS,
    waited: word(5) / NS_PER_MS,
    events: word(6),
  };
}
