// What was written when the environment ends leaves as far as the kernel takes it, as with
// node:net.
import { describe, expect, it } from 'vitest';
import { connectPeer } from '../support/peer.js';
import { startProgram } from '../support/program.js';

const few = 20;
const many = 100_000;
const failed = ['throws', 'rejects'];
const ways = [
  ...['handler', 'end', 'pieces', 'microtask', 'timer', 'immediate'],
  ...['exitEvent', 'signal', 'throws', 'rejects', 'itself'],
  ...['worker:handler', 'worker:end', 'worker:exitEvent', 'worker:throws'],
];

/** All that a peer gets of a program that ends in this way. */
async function received(how: string, size: number, request = 'go') {
  const program = startProgram('exit_after_write', { args: [how, String(size)] });
  const peer = await connectPeer({ port: await program.port() });
  peer.send(request);
  const [text, ending] = await Promise.all([peer.untilEnd(), program.ending()]);
  return { text, ending };
}

describe('bytes written', () => {
  it.each(ways.flatMap((way) => [few, many].map((size) => [way, size] as const)))(
    'before the end by %s arrive: %i',
    async (way, size) => {
      const { text, ending } = await received(way, size);
      expect(text.length).toBe(size);
      expect(text).toBe('x'.repeat(size));
      expect(ending).toMatchObject({ code: failed.includes(way) ? 1 : 0, signal: null });
    },
  );

  it.each([few, many])('as the answer of an HTTP handler that exits arrive: %i', async (size) => {
    const { text, ending } = await received('http', size, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text).toContain(`Content-Length: ${size}\r\n`);
    expect(text.slice(text.indexOf('\r\n\r\n') + 4)).toBe('x'.repeat(size));
    expect(ending).toMatchObject({ code: 0, stderr: '' });
  });
});
