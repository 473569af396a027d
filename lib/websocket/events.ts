// The events of WebSockets: which socket, and which of its handlers, each is for.
import { registerSink, Wing } from '../runtime/dispatch.js';
import { Event } from '../runtime/protocol.js';
import { runtime } from '../runtime/runtime.js';
import { Chunk } from '../tcp/chunk.js';
import type { Connection } from '../tcp/connection.js';
import { brokenConnection } from '../tcp/events.js';
import type { Message } from './handlers.js';
import { ABNORMAL, type AnySocket, call, deliver, NONE, type SocketHost } from './socket.js';

/** By slot. */
const sockets: (AnySocket | undefined)[] = [];
const NO_BLOCK = -1;
const GOING_AWAY = 1001;
const CODE_MASK = 0xffff;
/** Of the causes of wsClosing, those that are treated apart. */
const enum Cause {
  peer = 0,
  dead = 2,
}

export function keepSocket(socket: AnySocket): void {
  while (sockets.length < socket.slot) sockets.push(undefined);
  sockets[socket.slot] = socket;
}

/** The socket that a connection has become. */
export function socketAt({ _slot, _generation }: Connection): AnySocket | undefined {
  const socket = sockets[_slot];
  return socket?.generation === _generation ? socket : undefined;
}

export function forgetSocket(socket: AnySocket): void {
  if (sockets[socket.slot] === socket) sockets[socket.slot] = undefined;
}

/** Closes the open sockets of a host, which stops; gives their connections. */
export function goAway(host: SocketHost): Set<unknown> {
  const connections = new Set<unknown>();
  for (const socket of sockets) {
    if (socket?._host !== host) continue;
    connections.add(socket._connection);
    socket.close(GOING_AWAY);
  }
  return connections;
}

function event(kind: number, at: number, events: Int32Array): void {
  const socket = sockets[events[at + 1]];
  if (socket === undefined || socket.generation !== events[at + 2]) return;
  const { slabs } = runtime().memory;
  const offset = events[at + 4];
  const length = events[at + 5];
  switch (kind) {
    case Event.wsText:
      received(socket, textOf(socket, slabs[events[at + 3]], offset, length));
      break;
    case Event.wsBinary:
      received(socket, binaryOf(socket, slabs[events[at + 3]], offset, length, events[at + 6]));
      break;
    case Event.wsFrame:
      received(socket, new Chunk(slabs[events[at + 3]], offset, length, events[at + 6], true));
      break;
    case Event.wsPart:
      socket._parts ??= [];
      socket._parts.push(viewOf(slabs[events[at + 3]], offset, length));
      break;
    case Event.wsPing:
    case Event.wsPong: {
      const { ping, pong } = socket._host.handlers;
      const handler = kind === Event.wsPing ? ping : pong;
      const payload = Buffer.from(viewOf(slabs[events[at + 3]], offset, length));
      if (handler !== undefined) call(socket, () => handler(socket, payload));
      break;
    }
    case Event.wsClosing:
      closing(socket, at, events);
      break;
  }
}

const viewOf = (slab: Buffer, offset: number, length: number): Buffer =>
  slab.subarray(offset, offset + length);

/** Parts are of this walk, and good until its end. */
function joined(socket: AnySocket, last: Buffer): Buffer {
  const parts = socket._parts ?? [];
  socket._parts = undefined;
  return Buffer.concat([...parts, last]);
}

function textOf(socket: AnySocket, slab: Buffer, offset: number, length: number): string {
  if (socket._parts === undefined) return slab.toString('utf8', offset, offset + length);
  return joined(socket, viewOf(slab, offset, length)).toString('utf8');
}

function binaryOf(
  socket: AnySocket,
  slab: Buffer,
  offset: number,
  length: number,
  block: number,
): Chunk {
  if (socket._parts === undefined) return new Chunk(slab, offset, length, block);
  const whole = joined(socket, viewOf(slab, offset, length));
  return new Chunk(whole, 0, whole.length, NO_BLOCK);
}

function received(socket: AnySocket, message: Message): void {
  if (!socket._mustHold) {
    deliver(socket, message);
    return;
  }
  if (typeof message !== 'string') message._keep();
  if (socket._held === NONE) socket._held = [];
  socket._held.push(message);
}

function closing(socket: AnySocket, at: number, events: Int32Array): void {
  const code = events[at + 3] & CODE_MASK;
  const cause = events[at + 3] >>> 16;
  const clean = cause === Cause.peer;
  const offset = events[at + 4];
  const length = events[at + 5];
  const slab = runtime().memory.slabs[events[at + 6]];
  const reason = clean && length > 0 ? slab.toString('utf8', offset, offset + length) : '';
  // What was refused had no close frame of the peer's: `code` is what was sent to it.
  socket._closes({ code: clean ? code : ABNORMAL, reason, clean });
  const { dead } = socket._host.handlers;
  if (cause === Cause.dead && dead !== undefined) call(socket, () => dead(socket));
}

registerSink(Wing.websocket, { event, broken: brokenConnection });
