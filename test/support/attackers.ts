// Clients that nobody wants, made at random from a seed: what they ask for, in which pieces, how
// they read, and when and how they leave.
import { connect, type Socket } from 'node:net';
import type { Random } from './random.js';

export interface Ports {
  raw: number;
  fast: number;
  fetch: number;
}

export type Face = keyof Ports;

/** Nobody stays longer; then it is time for the next one. */
const STAY_MS_MAX = 700;
const PIPELINE_MAX = 100;
const READ_BYTES_MAX = 32 * 1024 * 1024;

export function get(path: string, fields = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
}

export function post(path: string, body: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** A chunked body in which every byte is a chunk of its own. */
export function crumbs(path: string, bytes: number): string {
  const head = `POST ${path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`;
  return `${head}${'1\r\nx\r\n'.repeat(bytes)}0\r\n\r\n`;
}

const some = (random: Random, bytesMax: number) => 'x'.repeat(random.below(bytesMax));

type Question = (random: Random) => string;

const ofPaths = (...paths: string[]): Question[] => paths.map((path) => () => get(path));

const ofBodies = (...paths: string[]): Question[] =>
  paths.flatMap((path) => [
    (random: Random) => post(path, some(random, 100_000)),
    (random: Random) => crumbs(path, random.below(3000)),
  ]);

const QUESTIONS: Record<Face, Question[]> = {
  raw: [(random) => `e${some(random, 200_000)}`, () => 'g', (random) => `p${some(random, 50_000)}`],
  fast: [
    ...ofPaths('/small', '/forty', '/static', '/large', '/polite', '/greedy', '/slow', '/deaf'),
    ...ofPaths('/file', '/file', '/dial', '/throw', '/none', '/static'),
    ...ofBodies('/body', '/pieces', '/small'),
    (random) => `${get('/upgrade', 'Connection: Upgrade\r\nUpgrade: e\r\n')}${some(random, 5000)}`,
    () => get('/file', 'Range: bytes=5-900000\r\n'),
    () => 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n',
    (random) => some(random, 20_000),
  ],
  fetch: [
    ...ofPaths('/small', '/forty', '/generator', '/pulled', '/none'),
    ...ofBodies('/text', '/echo', '/small'),
  ],
};

const FACES = Object.keys(QUESTIONS) as Face[];

const oneOf = <T>(random: Random, values: readonly T[]): T => values[random.below(values.length)]!;

export type Leaving = 'fin' | 'close' | 'reset';
export const LEAVINGS: readonly Leaving[] = ['fin', 'close', 'reset'];

export function leave(socket: Socket, how: Leaving): void {
  if (how === 'reset') socket.resetAndDestroy();
  else if (how === 'close') socket.destroy();
  else socket.end();
}

export function dial(port: number): Socket {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => {}); // whatever it gets, it deserves
  return socket;
}

export const connected = (socket: Socket) =>
  new Promise<void>((resolve) => {
    socket.once('connect', () => resolve());
    socket.once('close', () => resolve());
  });

/** What one attacker is going to do. */
interface Plan {
  face: Face;
  bytes: Buffer;
  /** In how many bytes at a time it is sent, one piece in each turn of the loop. */
  pieces: number;
  reads: 'at once' | 'slowly' | 'never';
  leavesAfter: 'dialling' | 'connecting' | 'sending' | 'reading' | 'a while';
  bytesRead: number;
  stayMs: number;
  how: Leaving;
}

export function planFrom(random: Random): Plan {
  const face = oneOf(random, FACES);
  const asked = random.chance(0.3) ? 1 + random.below(PIPELINE_MAX) : 1;
  const texts = Array.from({ length: asked }, () => oneOf(random, QUESTIONS[face])(random));
  const whole = Buffer.from(texts.join(''), 'latin1');
  return {
    face,
    bytes: random.chance(0.4) ? whole.subarray(0, random.below(whole.length + 1)) : whole,
    pieces: random.chance(0.3) ? 1 + random.below(200) : whole.length,
    reads: oneOf(random, ['at once', 'at once', 'slowly', 'never']),
    leavesAfter: oneOf(random, ['dialling', 'connecting', 'sending', 'reading', 'a while']),
    bytesRead: 1 + random.below(random.chance(0.5) ? 300_000 : 100),
    stayMs: random.below(STAY_MS_MAX),
    how: oneOf(random, LEAVINGS),
  };
}

/** Reads a little now and then; resolves when `over` does. */
export function readSlowly(socket: Socket, pauseMs: number): void {
  socket.on('data', () => {
    socket.pause();
    setTimeout(() => socket.resume(), pauseMs);
  });
}

async function send(socket: Socket, { bytes, pieces }: Plan): Promise<void> {
  for (let at = 0; at < bytes.length && !socket.destroyed; at += pieces) {
    socket.write(bytes.subarray(at, at + pieces));
    await new Promise(setImmediate);
  }
}

/** Carries a plan out; resolves when its connection is gone. */
export async function attack(ports: Ports, plan: Plan): Promise<void> {
  const socket = dial(ports[plan.face]);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const timer = setTimeout(() => socket.destroy(), STAY_MS_MAX);
  const goes = (when: Plan['leavesAfter']) => {
    if (plan.leavesAfter === when) leave(socket, plan.how);
  };
  if (plan.reads === 'slowly') readSlowly(socket, 10);
  let bytes = 0;
  if (plan.reads !== 'never') {
    socket.on('data', (chunk) => {
      bytes += chunk.length;
      if (bytes >= plan.bytesRead) goes('reading');
      if (bytes > READ_BYTES_MAX) socket.destroy();
    });
    socket.on('end', () => socket.end());
  }
  goes('dialling');
  await connected(socket);
  goes('connecting');
  await send(socket, plan);
  goes('sending');
  const while_ = setTimeout(() => goes('a while'), plan.stayMs);
  await closed;
  clearTimeout(while_);
  clearTimeout(timer);
}
