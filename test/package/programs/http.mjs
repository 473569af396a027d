// A ten-line HTTP server, and a request to it.
import { serve } from 'ringpoll/http';

const server = serve({
  host: '127.0.0.1',
  port: 0,
  handler: (request, response) => response.json({ path: request.path }),
});
const answer = await fetch(`http://127.0.0.1:${server.port}/hello`);
console.log(answer.status, await answer.text());
await server.stop({ timeout: 1000 });
