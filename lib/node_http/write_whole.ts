// A head and its body on their way into the staging block, as one send.
import { Control } from '../runtime/protocol.js';
import type { Runtime } from '../runtime/runtime.js';
import { lengthOf, room, STAGED_BYTES_MAX, stage } from '../runtime/staging.js';
import type { Connection } from '../tcp/connection.js';
import { Flag } from '../tcp/connection_state.js';

interface RawWrites {
  latin1Write(text: string, at: number, length: number): number;
  utf8Write(text: string, at: number, length: number): number;
}

const UTF8_BYTES_PER_UNIT = 3;
/** Something else than plain writes is under way. */
const SPECIAL = Flag.unsent | Flag.awaited | Flag.ending | Flag.closing | Flag.closed;

/**
 * Queues both. A text goes out in UTF-8 together with its head, as node:http sends it; before bytes
 * the head is Latin-1.
 */
export function writeWhole(
  loop: Runtime,
  connection: Connection,
  head: string,
  body: string | Uint8Array,
): void {
  if (connection._flags & SPECIAL || !writeStaged(loop, connection, head, body)) {
    if (connection._over || connection._flags & Flag.ending) return;
    if (typeof body === 'string') {
      connection._send(loop, head + body);
    } else {
      connection._send(loop, Buffer.from(head, 'latin1'));
      connection._send(loop, body);
    }
  }
}

function writeStaged(
  loop: Runtime,
  { _slot: slot, _generation: generation }: Connection,
  head: string,
  body: string | Uint8Array,
): boolean {
  if (typeof body === 'string') {
    const text = body === '' ? head : head + body;
    const most = text.length * UTF8_BYTES_PER_UNIT;
    const at = most > STAGED_BYTES_MAX ? -1 : room(loop, most);
    if (at < 0) return false;
    const slab = loop.memory.slabs[loop.control[Control.stagingSlab]] as Buffer & RawWrites;
    stage(loop, slot, generation, at, slab.utf8Write(text, at, most));
    return true;
  }
  const length = lengthOf(body);
  const most = head.length + length;
  const at = most > STAGED_BYTES_MAX ? -1 : room(loop, most);
  if (at < 0) return false;
  const slab = loop.memory.slabs[loop.control[Control.stagingSlab]] as Buffer & RawWrites;
  const headBytes = slab.latin1Write(head, at, head.length);
  if (length > 0) slab.set(body, at + headBytes);
  stage(loop, slot, generation, at, headBytes + length);
  return true;
}
