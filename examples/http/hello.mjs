// The smallest server: node examples/http/hello.mjs [PORT]
import { serve } from 'ringpoll/http';

const server = serve({
  host: '127.0.0.1',
  port: Number(process.argv[2] ?? 8080),
  handler(request, response) {
    response.header('Content-Type', 'text/plain').end(`Hello from ${request.path}\n`);
  },
});
console.log(`http://127.0.0.1:${server.port}/`);

// Ctrl-C: no new connections, those there are get their answer. A second Ctrl-C ends at once.
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => server.stop({ timeout: 5000 }));
}
