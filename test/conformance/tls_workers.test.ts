// Workers that are terminated in the middle of TLS handshakes, as servers and as clients.
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { type AddressInfo, createConnection, createServer, type Socket } from 'node:net';
import { TLSSocket, connect as tlsConnect } from 'node:tls';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { programPath } from '../support/program.js';
import { Recorders, within } from '../support/recorder.js';
import { rounds } from '../support/rounds.js';
import { portOf } from '../support/serve.js';
import { cert, clientHello, dialNode, key, NAME, serveTls } from '../support/tls/both.js';

const ROUNDS = rounds(5, 100);
const PEERS = 12;
const START_MS_MAX = 30_000;
const ROUNDS_MS_MAX = rounds(60_000, 600_000);
const host = '127.0.0.1';
/** Of a handshake, 122 bytes of which are still to come. */
const RECORD_HEAD = Buffer.from('160303007a', 'hex');

/** Sockets, and what a loop waits by: undefined where nothing tells. */
function descriptors(): number | undefined {
  if (!existsSync('/proc/self/fd')) return undefined;
  const ours = readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return /^(socket|anon_inode):/.test(readlinkSync(`/proc/self/fd/${fd}`));
    } catch {
      return false;
    }
  });
  return ours.length;
}

function startWorker(workerData: object): Worker {
  const worker = new Worker(programPath('tls_worker'), { workerData });
  onTestFinished(async () => {
    await worker.terminate();
  });
  return worker;
}

/** Runs rounds after a first one, and says how many descriptors they have left open. */
async function leftBy(round: (nth: number) => Promise<void>): Promise<void> {
  await round(0);
  const before = descriptors();
  for (let nth = 0; nth < ROUNDS; nth++) await round(nth);
  // What was closed at last is so a turn later.
  await vi.waitFor(() => expect(descriptors() ?? 0).toBeLessThanOrEqual(before ?? 0), 8_000);
}

async function expectLoopWorks(): Promise<void> {
  const recorders = new Recorders({ data: (one, chunk) => one.write(chunk) });
  const peer = await dialNode(portOf(serveTls(recorders.recording)));
  peer.send('still here');
  expect(await peer.received(10)).toBe('still here');
}

const closed = (socket: Socket) =>
  new Promise<void>((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve()).destroy();
  });

/** Clients of a worker: some stop within their hello, and the others go on as far as they come. */
function clientsOf(port: number, hello: Buffer, nth: number): Socket[] {
  return Array.from({ length: PEERS }, (_, i) => {
    const socket = createConnection({ port, host });
    socket.on('error', () => {});
    if (i % 2 === 0) {
      socket.write(hello.subarray(0, ((nth * PEERS + i) * 7) % (hello.length + 1)));
      return socket;
    }
    return tlsConnect({ socket, ca: cert, servername: NAME })
      .on('error', () => {})
      .resume();
  });
}

describe(`a worker that is terminated ${ROUNDS} times in the middle of handshakes`, () => {
  it(
    'as their server leaves nothing open',
    async () => {
      const hello = await clientHello();
      await leftBy(async (nth) => {
        const worker = startWorker({ task: 'serve', tls: { key, cert } });
        const started = new Promise<number>((resolve) => worker.once('message', resolve));
        const port = await within(started, () => 'the port of the worker', START_MS_MAX);
        const sockets = clientsOf(port, hello, nth);
        // The last is one that goes on.
        const last = sockets.at(-1)!;
        await within(
          new Promise<void>((resolve) => {
            last.once(nth % 3 === 0 ? 'secureConnect' : 'keylog', () => resolve());
          }),
          () => 'the last of the clients',
        );
        await within(worker.terminate(), () => 'the end of the worker');
        await Promise.all(sockets.map(closed));
      });
      await expectLoopWorks();
    },
    ROUNDS_MS_MAX,
  );

  it(
    'as their client leaves nothing open',
    async () => {
      const sockets = new Set<Socket>();
      let came = 0;
      let heard = () => {};
      // Some are never answered, some get the head of a record, and the others a whole handshake.
      const server = createServer((socket) => {
        sockets.add(socket);
        socket.on('error', () => {}).on('close', () => sockets.delete(socket));
        const kind = came++ % 3;
        if (kind < 2) {
          socket.once('data', () => {
            if (kind === 1) socket.write(RECORD_HEAD);
            heard();
          });
          return;
        }
        const secure = new TLSSocket(socket, { isServer: true, key, cert });
        secure.on('error', () => {}).once('keylog', () => heard());
        secure.on('secure', () => secure.end());
      });
      await new Promise<void>((resolve) => server.listen(0, host, resolve));
      onTestFinished(() => void server.close());
      const { port } = server.address() as AddressInfo;
      await leftBy(async (nth) => {
        let left = 1 + (nth % PEERS);
        const hellos = new Promise<void>((resolve) => {
          heard = () => {
            if (--left === 0) resolve();
          };
        });
        const of = { tls: { ca: cert }, servername: NAME, port, count: PEERS };
        const worker = startWorker({ task: 'connect', ...of });
        await within(hellos, () => `${left} more connections of the worker`, START_MS_MAX);
        await within(worker.terminate(), () => 'the end of the worker');
        await Promise.all([...sockets].map(closed));
      });
      await expectLoopWorks();
    },
    ROUNDS_MS_MAX,
  );
});

describe('a worker that is terminated while native code reads its options', () => {
  it(
    'ends without the process',
    async () => {
      for (let nth = 0; nth < 4 * ROUNDS; nth++) {
        const worker = startWorker({ task: 'options', tls: { key, cert } });
        const begins = new Promise<void>((resolve) => worker.once('message', () => resolve()));
        await within(begins, () => 'the worker', START_MS_MAX);
        // Anywhere within some of its calls.
        await new Promise((resolve) => setTimeout(resolve, 5 + ((nth * 7) % 20)));
        await within(worker.terminate(), () => 'the end of the worker');
      }
      await expectLoopWorks();
    },
    ROUNDS_MS_MAX,
  );
});
