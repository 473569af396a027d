// node bench/servers/http-echo.mjs PORT: 200 to any method and path, with the body as it came (an
// empty one: OK). /headers lists the headers that came, one a line.
import { Loop } from 'ringpoll';
import { serve } from 'ringpoll/http';

function headerLines(request) {
  const raw = request.rawHeaders();
  let text = '';
  for (let i = 0; i < raw.length; i += 2) text += `${raw[i].toLowerCase()}: ${raw[i + 1]}\n`;
  return text;
}

const server = serve({
  host: '127.0.0.1',
  port: Number(process.argv[2] ?? 8080),
  async handler(request, response) {
    if (request.path === '/headers') {
      response.header('Content-Type', 'text/plain').end(headerLines(request));
      return;
    }
    const body = await request.body();
    const type = request.header('content-type') ?? 'text/plain';
    response.header('Content-Type', type).end(body.length > 0 ? body : 'OK');
  },
});
console.log(`ready ${server.port} engine=${Loop.current().engine}`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => server.stop({ timeout: 2000 }).then(() => process.exit(0)));
}
