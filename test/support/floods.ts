// Attacks that aim at one thing, each with a little chance in it. Each resolves when its clients
// are gone.
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import {
  connected,
  crumbs,
  dial,
  get,
  LEAVINGS,
  leave,
  type Ports,
  post,
  readSlowly,
} from './attackers.js';
import { startProgram } from './program.js';
import type { Random } from './random.js';

type Flood = (ports: Ports, random: Random) => Promise<void>;

const HOLD_MS = 800;
const IDLE_CONNECTIONS_MAX = 8000;

const DIALS_AT_ONCE = 200;

const gone = (sockets: Socket[]) =>
  Promise.all(
    sockets.map((socket) => {
      if (socket.closed) return undefined;
      return new Promise<void>((resolve) => socket.once('close', () => resolve()));
    }),
  );

async function all(count: number, port: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const batch = Math.min(DIALS_AT_ONCE, count - sockets.length);
    const fresh = Array.from({ length: batch }, () => dial(port));
    await Promise.all(fresh.map(connected));
    sockets.push(...fresh);
  }
  return sockets;
}

const hold = (ms = HOLD_MS) => new Promise((resolve) => setTimeout(resolve, ms));

async function leaveAll(sockets: Socket[], random: Random): Promise<void> {
  for (const socket of sockets) {
    leave(socket, LEAVINGS[random.below(LEAVINGS.length)]!);
    // Those that end their side only do not wait for what was asked for.
    setTimeout(() => socket.destroy(), 50);
  }
  await gone(sockets);
}

/** Asks for `text` on every connection, reads next to nothing of the answers, and leaves. */
async function unread(
  count: number,
  port: number,
  text: string,
  random: Random,
  holdMs = HOLD_MS,
): Promise<void> {
  const sockets = await all(count, port);
  for (const socket of sockets) {
    readSlowly(socket, 100);
    socket.write(text);
  }
  await hold(holdMs);
  await leaveAll(sockets, random);
}

/** More requests in a pipeline than anybody could read the answers of. */
const PIPELINED = 4000;

/** As many as a process may have, with room for the server's other descriptors. */
function idleConnections(): number {
  if (process.platform !== 'linux') return 200;
  const [, hard] = /^Max open files +\S+ +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))!;
  return Math.min(IDLE_CONNECTIONS_MAX, Math.floor(Number(hard) / 2));
}

export const FLOODS: Record<string, Flood> = {
  'pipelined answers that nobody reads': async (ports, random) => {
    const fast = get(random.chance(0.5) ? '/static' : '/forty').repeat(PIPELINED);
    await Promise.all([
      unread(3, ports.fast, fast, random),
      unread(3, ports.fetch, get('/forty').repeat(PIPELINED), random),
    ]);
  },
  'bodies of one-byte chunks': async (ports, random) => {
    const bytes = 300_000 + random.below(100_000);
    await Promise.all([
      unread(4, ports.fast, crumbs('/body', bytes), random),
      unread(4, ports.fetch, crumbs('/text', bytes), random),
    ]);
  },
  'one large answer that many do not read': (ports, random) =>
    unread(24 + random.below(8), ports.fast, get('/large'), random),
  'pipelined files that nobody reads': (ports, random) =>
    unread(4 + random.below(3), ports.fast, get('/file').repeat(250), random),
  'streams whose readers leave': async (ports, random) => {
    const leavers = async (port: number, text: string) => {
      const sockets = await all(6, port);
      for (const socket of sockets) {
        socket.resume();
        socket.write(text);
      }
      await hold(100 + random.below(200));
      await leaveAll(sockets, random);
    };
    await leavers(ports.fetch, get('/generator'));
    await leavers(ports.fetch, get('/pulled'));
    await leavers(ports.fast, get('/polite'));
    await leavers(ports.fast, get('/greedy'));
    await leavers(ports.raw, 'g');
  },
  'pipelines whose readers leave': async (ports, random) => {
    const fast = ['/greedy', '/polite', '/file', '/large', '/forty'].map((path) => get(path));
    const behind = fast.sort(() => random.next() - 0.5).join('');
    const streams = get('/generator') + get('/pulled') + post('/text', 'x'.repeat(1000));
    await Promise.all([
      unread(20, ports.fast, get('/slow') + behind, random, random.below(600)),
      unread(20, ports.fast, get('/deaf') + behind, random, random.below(600)),
      unread(20, ports.fetch, streams, random, random.below(600)),
    ]);
  },
  'idle connections that leave at once': async (ports, random) => {
    const port = random.chance(0.5) ? ports.raw : ports.fast;
    const crowd = startProgram('crowd', { args: [port, idleConnections()].map(String) });
    await crowd.line();
    crowd.child.kill('SIGKILL');
    await crowd.ending();
  },
  'half requests on many connections': async (ports, random) => {
    const text = post('/body', 'x'.repeat(200));
    const sockets = await all(500, ports.fast);
    for (const socket of sockets) socket.write(text.slice(0, 1 + random.below(text.length)));
    await hold(300);
    await leaveAll(sockets, random);
  },
  'paused connections whose peers leave': async (ports, random) => {
    const sockets = await all(200, ports.raw);
    for (const socket of sockets) socket.write('p'.repeat(1 + random.below(5000)));
    await hold(200);
    await leaveAll(sockets, random);
  },
};
