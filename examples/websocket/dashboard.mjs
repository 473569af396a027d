// A live dashboard: a page gets everything once, and then only what has changed.
// node examples/websocket/dashboard.mjs [PORT]
import { fileURLToPath } from 'node:url';
import { serve } from 'ringpoll/http';

const root = fileURLToPath(new URL('.', import.meta.url));
const TOPIC = 'changes';
const TICK_MS = 250;
const MACHINES = 12;

/** What is shown: of each machine its load and its requests. */
const machines = new Map();
for (let number = 1; number <= MACHINES; number += 1) {
  machines.set(`machine-${number}`, { load: 20 + number, requests: 0 });
}
let version = 0;

const everything = () => JSON.stringify({ version, changed: Object.fromEntries(machines) });

/** Some machines have worked meanwhile: what has changed goes to all pages, encoded once. */
function tick() {
  const changed = {};
  for (const [name, values] of machines) {
    if (Math.random() < 0.7) continue;
    const load = Math.min(100, Math.max(0, values.load + Math.round(Math.random() * 10 - 5)));
    const next = { load, requests: values.requests + load };
    machines.set(name, next);
    changed[name] = next;
  }
  const since = version;
  version += 1;
  server.publish(TOPIC, JSON.stringify({ version, since, changed }));
}

const server = serve({
  host: '127.0.0.1',
  port: Number(process.argv[2] ?? 8080),
  routes: {
    '/': { GET: (_, response) => response.sendFile('/dashboard.html', { root }) },
  },
  handler: (_, response) => response.status(404).end(),
  websocket: {
    maxPayload: 1024,
    // A page that does not keep up misses versions, notices it, and asks for everything.
    backpressureLimit: 64 * 1024,
    overload: 'drop',
    upgrade: (request) => (request.path === '/updates' ? {} : { status: 404 }),
    open(socket) {
      socket.send(everything());
      socket.subscribe(TOPIC);
    },
    message(socket, message) {
      if (message === 'all') socket.send(everything());
    },
  },
});
const ticker = setInterval(tick, TICK_MS);
console.log(`http://127.0.0.1:${server.port}/`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    clearInterval(ticker);
    server.stop({ timeout: 5000 });
  });
}
