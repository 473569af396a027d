// Many handlers run in one call: what each queues runs before the next one, as in plain Node.
import { once } from 'node:events';
import net from 'node:net';
import { listen } from 'ringpoll';

const CLIENTS = 8;
const log = [];
const listener = listen({
  host: '127.0.0.1',
  port: 0,
  data(connection) {
    log.push('handler');
    process.nextTick(() => log.push('tick'));
    Promise.resolve().then(() => log.push('microtask'));
    connection.end();
  },
});
const sockets = Array.from({ length: CLIENTS }, () => net.connect(listener.port, '127.0.0.1'));
await Promise.all(sockets.map((socket) => once(socket, 'connect')));
for (const socket of sockets) socket.resume().write('x');
await Promise.all(sockets.map((socket) => once(socket, 'close')));
const expected = Array.from({ length: CLIENTS }, () => ['handler', 'tick', 'microtask']).flat();
const inOrder = log.join() === expected.join();
console.log(typeof process._tickCallback, inOrder ? 'in order' : log.join());
await listener.stop({ timeout: 1000 });
