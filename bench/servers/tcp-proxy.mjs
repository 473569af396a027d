// A TCP proxy on ringpoll: `node bench/servers/tcp-proxy.mjs PORT TARGETPORT`, both on 127.0.0.1.
// RINGPOLL_SPLICE (auto, always, never) says how bytes are moved; the ready line names the engine
// that runs.
import { connect, Loop, listen, pipeline } from 'ringpoll';
import { endOnSignal } from '../lib/ending.mjs';

const DRAIN_MS = 2000;
const [port = '0', targetPort] = process.argv.slice(2);
if (targetPort === undefined) {
  console.error('usage: tcp-proxy.mjs PORT TARGETPORT');
  process.exit(2);
}
const target = { host: '127.0.0.1', port: Number(targetPort) };
const splice = process.env.RINGPOLL_SPLICE || 'auto';

const listener = listen({
  host: '127.0.0.1',
  port: Number(port),
  backlog: 4096,
  async open(client) {
    client.pause();
    try {
      await pipeline(client, await connect(target), { splice });
    } catch (error) {
      client.reset();
      // A load generator that stops may reset; anything else is a fault worth seeing.
      const expected = ['ECONNRESET', 'EPIPE', 'ERR_RINGPOLL_CONNECTION_CLOSED'];
      if (!expected.includes(error.code)) console.error(error);
    }
  },
});
console.log(`ready ${listener.address.port} engine=${Loop.current().engine}`);
endOnSignal(() => listener.stop({ timeout: DRAIN_MS }));
