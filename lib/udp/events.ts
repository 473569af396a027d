// The events of datagram sockets.
import { registerSink, Wing } from '../runtime/dispatch.js';
import { Event } from '../runtime/protocol.js';
import { runtime } from '../runtime/runtime.js';
import { systemError, type Target } from '../runtime/system_error.js';
import { uncaught } from '../runtime/ticks.js';
import { Batch, Packet } from './packet.js';
import { DATAGRAM_WORDS, wordsOf } from './record.js';
import { type Named, socketAt } from './tables.js';

const WORD_BYTES = 4;
const SYSCALL_SHIFT = 24;
const ERRNO_MASK = 0xffffff;
const NONE = -1;

function event(kind: number, at: number, events: Int32Array): void {
  const socket = socketAt(events[at + 1], events[at + 2]);
  if (socket === undefined) return;
  switch (kind) {
    case Event.udpPackets:
      packets(socket, at, events);
      break;
    case Event.udpError:
      socket._error(errorOf(at, events));
      break;
    case Event.udpDrain:
      socket._drain();
      break;
    case Event.udpClose: {
      const errno = events[at + 3] & ERRNO_MASK;
      const syscall = events[at + 3] >>> SYSCALL_SHIFT;
      socket._close(errno === 0 ? undefined : systemError(errno, syscall));
      break;
    }
  }
}

function packets(socket: Named, at: number, events: Int32Array): void {
  const words = wordsOf(runtime().memory.slabs, events[at + 3]);
  const count = events[at + 5];
  const batch = new Batch(events[at + 6]);
  const all = new Array<Packet>(count);
  let record = events[at + 4] / WORD_BYTES;
  for (let i = 0; i < count; i++) {
    all[i] = new Packet(batch, words, record);
    record += DATAGRAM_WORDS;
  }
  if (!socket._data(all)) batch.over = true;
}

function errorOf(at: number, events: Int32Array): Error {
  const { memory, native } = runtime();
  const errno = events[at + 3] & ERRNO_MASK;
  let target: Target | undefined;
  if (events[at + 6] !== NONE) {
    const words = wordsOf(memory.slabs, events[at + 6]);
    const first = events[at + 4] / WORD_BYTES;
    const record = words.slice(first, first + DATAGRAM_WORDS);
    const { address, port } = native.udpName(record, false);
    target = { host: address, port };
  }
  const error = systemError(errno, events[at + 3] >>> SYSCALL_SHIFT, target);
  const syscall = SYSCALLS[events[at + 3] >>> SYSCALL_SHIFT] ?? 'send';
  return Object.assign(error, { syscall, packets: events[at + 5] });
}

function broken(at: number, error: unknown): void {
  const { events } = runtime();
  const socket = socketAt(events[at + 1], events[at + 2]);
  if (socket === undefined) uncaught(error);
  else socket._failed(error);
}

/** What native code's read and write are here. */
const SYSCALLS: Readonly<Record<number, string>> = { 1: 'recvmsg', 2: 'send' };

registerSink(Wing.datagrams, { event, broken });
