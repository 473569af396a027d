// What the live page looks at in the browser lane: a server with some load of its own making, and
// admin() beside it. Prints `ready PORT`, which is that of admin().
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'ringpoll';
import { admin } from 'ringpoll/admin';
import { serve } from 'ringpoll/http';
import { HybridScheduler } from 'ringpoll/scheduler';
import { ADMIN_TOKEN } from './admin_token.mjs';

const CLIENTS = 8;
const PACE_MS = 4;
const PATHS = ['/hello', '/hello', '/hello', '/users/1', '/users/2', '/slow', '/broken', '/none'];

const scheduler = new HybridScheduler();
const server = serve({
  host: '127.0.0.1',
  port: 0,
  error() {},
  routes: {
    '/hello': () => 'hello\n',
    '/users/:id': (request) =>
      scheduler.run(() => `user ${request.params.id}\n`, { class: 'request' }),
    '/slow': async () => {
      await delay(20);
      return 'slow\n';
    },
    '/broken': () => {
      throw Object.assign(new Error('on purpose'), { code: 'E_ON_PURPOSE' });
    },
  },
});
const observed = admin({ port: 0, token: ADMIN_TOKEN, scheduler, interval: 250 });

let stopping = false;
async function load(number) {
  let answered = () => {};
  const client = await connect({
    host: '127.0.0.1',
    port: server.port,
    data: () => answered(),
    close: () => answered(),
    error() {},
  });
  for (let turn = number; !stopping; turn++) {
    const heard = new Promise((resolve) => {
      answered = resolve;
    });
    client.write(`GET ${PATHS[turn % PATHS.length]} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await heard;
    await delay(PACE_MS);
  }
  client.end();
}
const clients = Array.from({ length: CLIENTS }, (_, number) => load(number));
console.log(`ready ${observed.port}`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    stopping = true;
    await Promise.all(clients);
    await Promise.all([server.stop({ timeout: 1000 }), observed.stop(), scheduler.close()]);
  });
}
