// The time, pushed to every page that is open: node examples/http/server-sent-events.mjs [PORT]
import { serve } from 'ringpoll/http';

const page = `<!doctype html><title>The time</title><h1 id="time">...</h1><script>
new EventSource('/events').onmessage = ({ data }) => {
  document.getElementById('time').textContent = data;
};
</script>`;

/** Those whose connection takes events now. */
const listening = new Set();
let count = 0;

function events(request, response) {
  response.header('Content-Type', 'text/event-stream').header('Cache-Control', 'no-store');
  response.write(`retry: 1000\n${eventNow()}`);
  listening.add(response);
  request.signal.addEventListener('abort', () => {
    listening.delete(response);
    response.end(); // the page is gone, and so is its connection now
  });
}

function eventNow() {
  return `id: ${count}\ndata: ${new Date().toISOString()}\n\n`;
}

function tick() {
  count += 1;
  const event = eventNow();
  for (const response of listening) {
    if (response.write(event)) continue;
    // It is behind: it misses events until what waits for it has left, and uses no more memory.
    listening.delete(response);
    const goesOn = () => response.ended || listening.add(response);
    response.drained().then(goesOn, () => {});
  }
}

const server = serve({
  host: '127.0.0.1',
  port: Number(process.argv[2] ?? 8080),
  routes: { '/events': { GET: events } },
  handler: (_, response) => response.header('Content-Type', 'text/html').end(page),
});
const timer = setInterval(tick, 1000);
console.log(`http://127.0.0.1:${server.port}/`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    clearInterval(timer);
    for (const response of listening) response.end();
    server.stop({ timeout: 5000 });
  });
}
