// How a request that is put together reaches native code.
import { COMMAND_CAPACITY, Command, Control, RECORD_WORDS } from '../runtime/protocol.js';
import type { Runtime } from '../runtime/runtime.js';
import { room, STAGED_BYTES_MAX } from '../runtime/staging.js';
import type { Connection } from '../tcp/connection.js';
import type { Exchange } from './exchange.js';

interface RawWrites {
  latin1Write(text: string, at: number, length: number): number;
  utf8Write(text: string, at: number, length: number): number;
}

const UTF8_BYTES_PER_UNIT = 3;

/** Asks for the exchange on the connection: its head, and its body if that is no stream. */
export function sendRequest(loop: Runtime, connection: Connection, exchange: Exchange): void {
  if (sendStaged(loop, connection, exchange)) return;
  const { head, body } = exchange;
  command(loop, connection, exchange, 0, 0);
  connection._send(loop, Buffer.from(head, 'latin1'));
  if (body !== undefined) connection._send(loop, body);
}

/** Head and body in one piece, in the staging block. False: they are too long for it. */
function sendStaged(loop: Runtime, connection: Connection, exchange: Exchange): boolean {
  const { head, body } = exchange;
  const { control } = loop;
  const isText = typeof body === 'string';
  const bodyMax = body === undefined ? 0 : body.length * (isText ? UTF8_BYTES_PER_UNIT : 1);
  const most = head.length + bodyMax;
  const at = most > STAGED_BYTES_MAX ? -1 : room(loop, most);
  if (at < 0) return false;
  const slab = loop.memory.slabs[control[Control.stagingSlab]] as Buffer & RawWrites;
  let bytes = slab.latin1Write(head, at, head.length);
  if (isText) bytes += slab.utf8Write(body, at + bytes, bodyMax);
  else if (body !== undefined) {
    slab.set(body, at + bytes);
    bytes += body.length;
  }
  control[Control.stagingUsed] += bytes;
  command(loop, connection, exchange, at, bytes);
  return true;
}

function command(
  loop: Runtime,
  connection: Connection,
  exchange: Exchange,
  at: number,
  bytes: number,
): void {
  const { control, commands } = loop;
  if (control[Control.commandCount] === COMMAND_CAPACITY) loop.native.flush();
  const count = control[Control.commandCount];
  const word = count * RECORD_WORDS;
  commands[word] = Command.clientAsk;
  commands[word + 1] = connection._slot;
  commands[word + 2] = connection._generation;
  commands[word + 3] = exchange.flags;
  commands[word + 4] = at;
  commands[word + 5] = bytes;
  commands[word + 6] = exchange.headMs;
  commands[word + 7] = exchange.bodyMs;
  control[Control.commandCount] = count + 1;
}
