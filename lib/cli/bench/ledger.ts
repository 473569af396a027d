// The copy ledger: how many copies in user space each way of moving bytes makes, by the documents
// and by the counters of the loop that has just moved them.
import { type Chunk, type Connection, connect, listen } from '../../index.js';
import { Control } from '../../runtime/protocol.js';
import { runtime } from '../../runtime/runtime.js';
import type { Output } from '../output.js';
import { inTime } from './case.js';

export interface LedgerRow {
  api: string;
  bytes: number;
  /** Bytes that were copied in user space, as counted; absent where that came to no end. */
  copied?: number;
  /** Copies of each byte that the documentation promises. */
  copies: number;
}

const SMALL_BYTES = 1000;
const LARGE_BYTES = 64 * 1024;
const PINNED_BYTES = 20 * 1024;

/** Bytes copied so far: into the staging block, out of a block that could not wait, by retain(). */
function copiedSoFar(): number {
  const of = runtime();
  const { bytesCopied } = of.native.metrics();
  return of.control[Control.stagingUsed] + bytesCopied + of.bytesCopiedByRetain;
}

function counted(work: () => void): number {
  // What was written before must not leave the staging block in between.
  runtime().native.flush();
  const before = copiedSoFar();
  work();
  return copiedSoFar() - before;
}

interface Way {
  api: string;
  bytes: number;
  copies: number;
  work(connection: Connection, chunk: Chunk): void;
}

// Each runs in a data handler whose chunk is as long as `bytes` says.
const WAYS: Way[] = [
  {
    api: 'write(chunk)',
    bytes: SMALL_BYTES,
    copies: 0,
    work: (connection, chunk) => connection.write(chunk),
  },
  {
    api: 'write(string)',
    bytes: SMALL_BYTES,
    copies: 1,
    work: (connection) => connection.write('x'.repeat(SMALL_BYTES)),
  },
  {
    api: 'write(bytes), at most 32 KB',
    bytes: SMALL_BYTES,
    copies: 1,
    work: (connection) => connection.write(Buffer.alloc(SMALL_BYTES)),
  },
  {
    api: 'write(bytes), more, as far as the kernel takes them',
    bytes: LARGE_BYTES,
    copies: 0,
    work: (connection) => connection.write(Buffer.alloc(LARGE_BYTES)),
  },
  {
    api: 'chunk.bytes',
    bytes: SMALL_BYTES,
    copies: 0,
    work: (_connection, chunk) => void chunk.bytes,
  },
  {
    api: 'chunk.retain(), at most 16 KB',
    bytes: SMALL_BYTES,
    copies: 1,
    work: (_connection, chunk) => chunk.retain().release(),
  },
  {
    api: 'chunk.retain(), more',
    bytes: PINNED_BYTES,
    copies: 0,
    work: (_connection, chunk) => chunk.retain().release(),
  },
];

/** Sends `bytes` to a server that does the work with them, and counts what it copied. */
async function row({ api, bytes, copies, work }: Way): Promise<LedgerRow> {
  let copied: number | undefined;
  let over = () => {};
  const listener = listen({
    host: '127.0.0.1',
    port: 0,
    data(connection, chunk) {
      if (copied !== undefined) return;
      copied = counted(() => work(connection, chunk));
      connection.end();
    },
    error: () => {},
    close: () => over(),
  });
  const { port } = listener;
  const open = (client: Connection) => {
    client.write(Buffer.alloc(bytes));
  };
  const served = new Promise<void>((resolve, reject) => {
    over = resolve;
    connect({ host: '127.0.0.1', port, open, data: () => {}, error: () => {} }).catch(reject);
  });
  await inTime(served);
  // With what is still open: it stood still, and would keep the process alive.
  listener.destroy();
  return { api, bytes, copied, copies };
}

export async function copyLedger(output: Output): Promise<LedgerRow[]> {
  const rows: LedgerRow[] = [];
  for (const way of WAYS) {
    const counted = await row(way);
    if (counted.copied === undefined) output.note(`copies by ${way.api}: nothing came to count`);
    rows.push(counted);
  }
  return rows;
}
