// Files on their way to a connection: a range of the file takes its place in the connection's
// queue, and native code sends it when its turn has come.
import { RingpollError } from '../errors.js';
import { BLOCK_BYTES_MAX, ECANCELED, ENODATA } from '../runtime/native_files.js';
import { Command, Control, RECORD_WORDS } from '../runtime/protocol.js';
import type { Connection } from '../tcp/connection.js';
import { closedError, Flag, pipedError } from '../tcp/connection_state.js';
import { inOrder } from '../tcp/sending.js';
import { fileError } from './errors.js';
import type { OpenedFile } from './file.js';
import { poolRead } from './pool.js';
import { requestWithFetch } from './requests.js';
import { type FileEngine, Op, Route, type Routes } from './routes.js';

const TWO_TO_16 = 2 ** 16;
const TWO_TO_32 = 2 ** 32;
/** Both numbers have 16 high bits beside their low words. */
const PLACE_MAX = 2 ** 48 - 1;
/** The number of an operation, and above it who reads: native/core/files/files.h, FileReader. */
const ID_BITS = 29;
const READERS: Readonly<Record<FileEngine, number>> = { auto: 0, uring: 1, pool: 2 };

function command(
  { runtime, hint }: Routes,
  connection: Connection,
  file: OpenedFile,
  id: number,
  start: number,
  length: number,
): void {
  runtime.memory.pending[connection._slot] += length;
  runtime.command(
    Command.sendFile,
    connection._slot,
    connection._generation,
    file.id,
    id | (READERS[hint] << ID_BITS),
    start % TWO_TO_32,
  );
  const at = (runtime.control[Control.commandCount] - 1) * RECORD_WORDS;
  const high = (value: number) => Math.floor(value / TWO_TO_32);
  runtime.commands[at + 6] = length % TWO_TO_32;
  runtime.commands[at + 7] = high(start) * TWO_TO_16 + high(length);
}

/** Queues [start, start + length) of the file; resolves when the kernel has taken it. */
export async function sendRange(
  connection: Connection,
  file: OpenedFile,
  start: number,
  length: number,
  routes: Routes = file.routes,
): Promise<void> {
  if (!(start >= 0 && length >= 0 && start + length <= PLACE_MAX)) {
    throw fileError(-22, 'sendfile'); // EINVAL, as the kernel has it
  }
  if (connection._over) throw closedError();
  if (connection._flags & Flag.piped) throw pipedError('sendFile');
  if (connection._flags & Flag.ending) {
    throw new RingpollError('ERR_RINGPOLL_WRITE_AFTER_END', 'sendFile after end()');
  }
  if (length === 0) return;
  const byRing = routes.hint === 'uring' && routes.ring[Op.read];
  routes.count(Op.sendFile, byRing ? Route.ring : Route.now);
  file.enter();
  try {
    const { result } = await requestWithFetch(
      (id) =>
        inOrder(connection, () => command(routes, connection, file, id, start, length), length),
      (id, position, wanted) => fetchInPool(routes, connection, file, id, position, wanted),
    );
    if (result === -ENODATA) {
      const message = 'The file ended before everything that was promised had been sent';
      throw new RingpollError('ERR_RINGPOLL_FILE_TRUNCATED', message);
    }
    if (result === -ECANCELED) throw closedError();
    if (result < 0) throw fileError(result, 'read');
  } finally {
    file.leave();
  }
}

/** Reads what native code does not read itself: there is no ring, or the hint leaves it out. */
function fetchInPool(
  routes: Routes,
  connection: Connection,
  file: OpenedFile,
  id: number,
  position: number,
  wanted: number,
): void {
  const { native } = routes.runtime;
  const bytes = Buffer.allocUnsafeSlow(Math.min(wanted, BLOCK_BYTES_MAX));
  routes.count(Op.read, Route.pool);
  file.enter();
  poolRead(file.fd, bytes, 0, bytes.length, position)
    .then((count) => {
      native.fileFetched(connection._slot, connection._generation, id, bytes, count);
    })
    .finally(() => file.leave());
}
