// llhttp's response fixtures through proxy(): whatever a target sends, what the next client gets is
// the answer to its own request. Whole, and cut at random.
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serve } from 'ringpoll/http';
import { proxy, Upstream } from 'ringpoll/upstream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findCorpus, readCorpus } from '../http/llhttp_corpus.js';
import { serveRaw } from '../support/client.js';
import { Random } from '../support/random.js';
import { within } from '../support/recorder.js';

const sibling = fileURLToPath(new URL('../../../shared', import.meta.url));
const found = findCorpus(process.env, sibling);
const cases = found.missing === undefined ? readCorpus(join(found.folder, '..', 'response')) : [];

const marked = (mark: string) =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${mark.length}\r\nX-Mark: ${mark}\r\n\r\n${mark}`;

/** Sends `bytes`, and ends the connection or not. */
async function send(socket: Socket, bytes: Buffer, size: () => number, ends: boolean) {
  for (let at = 0; at < bytes.length && !socket.destroyed; ) {
    const piece = bytes.subarray(at, at + size());
    socket.write(piece);
    at += piece.length;
    if (at < bytes.length) await new Promise(setImmediate);
  }
  if (ends) socket.end();
}

/**
 * The bytes of one client's connection, which asks for `/fixture`, and when that was answered for
 * `/mark`.
 */
async function talk(port: number, mark: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  onTestFinished(() => void socket.destroy());
  let text = '';
  let asked = false;
  socket.on('data', (data) => {
    text += data.toString('latin1');
    if (asked || !text.includes('\r\n\r\n')) return;
    asked = true;
    // Behind the first request: an answer too many would be taken for this one's.
    socket.write(`GET /${mark} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  });
  socket.on('error', () => {});
  socket.write('GET /fixture HTTP/1.1\r\nHost: a\r\n\r\n');
  await within(new Promise((resolve) => socket.once('close', resolve)), () => text);
  return text;
}

describe('the response fixtures through proxy()', () => {
  it('are found', (context) => {
    if (found.missing !== undefined && found.demandedBy !== undefined) {
      throw new Error(`${found.missing}, and ${found.demandedBy} asks for them`);
    }
    context.skip(found.missing !== undefined, found.missing);
    expect(cases.length).toBeGreaterThan(40);
  });

  const ways: [string, (random: Random) => number, boolean][] = [
    ['whole, and the target stays', () => 1e9, false],
    ['whole, and the target ends', () => 1e9, true],
    ['cut at random, and the target ends', (random) => 1 + random.below(6), true],
  ];
  it.each(ways)(
    '%s: no client gets what is for another',
    { timeout: 30_000 },
    async (_, cut, ends) => {
      const random = new Random(15);
      let fixture = Buffer.alloc(0);
      const raw = await serveRaw((socket, __, request) => {
        const path = request.split(' ')[1]!;
        if (path === '/fixture') void send(socket, fixture, () => cut(random), ends);
        else socket.write(marked(path.slice(1)));
      });
      const upstream = new Upstream({
        ...{ targets: [raw.url], outlier: { consecutive5xx: 0 } },
        ...{ headTimeout: 80, bodyTimeout: 80 },
      });
      const gateway = serve({
        host: '127.0.0.1',
        port: 0,
        handler: (request, response) => proxy(request, response, upstream, { retry: false }),
      });
      onTestFinished(() => {
        upstream.destroy();
        gateway.destroy();
      });
      let good = 0;
      for (const [index, { name, input }] of cases.entries()) {
        fixture = Buffer.from(input, 'latin1');
        const mark = `mark-${index}`;
        const text = await talk(gateway.port, mark);
        // Either the connection ended with a broken answer, or the second answer is the right one.
        const second = text.lastIndexOf(`HTTP/1.1 200 OK\r\n`);
        const reached = text.includes(`x-mark: ${mark}`) || text.includes(`X-Mark: ${mark}`);
        if (reached) {
          good++;
          expect(text.slice(second).endsWith(`\r\n\r\n${mark}`), name).toBe(true);
        }
        for (const [, other] of text.matchAll(/mark-(\d+)/g))
          expect(Number(other), name).toBe(index);
        // A client after it, on another connection.
        const after = await talk(gateway.port, `${mark}-`);
        expect(after.match(/mark-\d+(?!\d|-)/), name).toBe(null);
        expect(upstream.targets[0]!.active, name).toBe(0);
      }
      expect(good).toBeGreaterThanOrEqual(cases.length / 2);
    },
  );
});
