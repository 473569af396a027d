// How far the deadline of a request reaches: tasks and their children, channels, sockets, client
// calls. When it passes, all of them end, and nothing of them is left.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { connect } from 'ringpoll';
import { Client } from 'ringpoll/client';
import { serve, withDeadline } from 'ringpoll/http';
import { Channel, HybridScheduler, type TaskContext, TaskGroup } from 'ringpoll/scheduler';
import { expect, it, onTestFinished } from 'vitest';
import { client } from '../support/client.js';

/** Accepts, and says nothing. */
async function silent() {
  const sockets: Socket[] = [];
  const closed: Promise<unknown>[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    closed.push(new Promise((resolve) => socket.on('close', resolve)));
    socket.on('error', () => {});
    socket.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: (server.address() as AddressInfo).port, sockets, closed };
}

/** Time enough for both sockets to be connected before, on a busy machine too. */
const DEADLINE_MS = 1500;

it('a deadline ends what a request has begun, down to the sockets', async () => {
  const peer = await silent();
  const scheduler = new HybridScheduler();
  const upstream = new Client();
  onTestFinished(() => upstream.destroy());
  const nothing = new Channel<number>();
  const codes: Record<string, unknown> = {};
  const left: number[] = [];
  let ended: () => void = () => {};
  const over = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const note = async (name: string, promise: Promise<unknown>) => {
    try {
      await promise;
      codes[name] = 'done';
    } catch (error) {
      codes[name] = (error as { code?: string }).code;
      throw error;
    }
  };
  const url = `http://127.0.0.1:${peer.port}/`;
  const handler = withDeadline(async (_request, _response, deadline) => {
    const signal = deadline?.signal as AbortSignal;
    const group = new TaskGroup(scheduler, { signal });
    const options = { timeout: deadline?.remaining };
    const child = (name: string, work: (context: TaskContext) => Promise<unknown>) =>
      group.run((context) => {
        left.push(context.remaining);
        return note(name, work(context));
      }, options);
    const children = [
      child('channel', (context) => nothing.receive(context)),
      child('sleep', (context) => context.sleep(60_000)),
      child('call', (context) => upstream.request(url, { signal: context.signal })),
      child('handshake', (context) =>
        connect({
          port: peer.port,
          tls: { rejectUnauthorized: false },
          signal: context.signal,
          data() {},
        }),
      ),
    ];
    await Promise.allSettled(children);
    await group.join().catch(() => {});
    codes.children = group.size;
    ended();
  });
  const server = serve({ host: '127.0.0.1', port: 0, handler });
  onTestFinished(() => server.destroy());
  const response = await client().request(`http://127.0.0.1:${server.port}/`, {
    headers: { 'x-timeout-ms': `${DEADLINE_MS}` },
  });
  expect(response.status).toBe(504);
  await over;
  expect(left.length).toBe(4);
  for (const ms of left) expect(ms).toBeLessThanOrEqual(DEADLINE_MS);
  // Its own timeout and the deadline's signal are due at once: either may be the first.
  for (const name of ['channel', 'sleep', 'call', 'handshake']) {
    expect([name, codes[name]]).toEqual([name, 'ERR_RINGPOLL_DEADLINE']);
  }
  expect(codes.children).toBe(0);
  expect(nothing.waiting).toEqual({ senders: 0, receivers: 0 });
  expect(peer.sockets.length).toBe(2);
  await Promise.all(peer.closed);
  expect(upstream.counts).toMatchObject({ open: 0, pending: 0 });
});
