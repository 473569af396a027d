// A chat: what one page says, all pages show. node examples/websocket/chat.mjs [PORT]
import { fileURLToPath } from 'node:url';
import { serve } from 'ringpoll/http';

const root = fileURLToPath(new URL('.', import.meta.url));
const ROOM = 'room';
const NAME_LENGTH_MAX = 30;
const TEXT_LENGTH_MAX = 500;
const HISTORY_LINES = 20;

/** The last lines, for those that come later. */
const history = [];

function tell(line) {
  history.push(line);
  if (history.length > HISTORY_LINES) history.shift();
  server.publish(ROOM, JSON.stringify(line));
}

const server = serve({
  host: '127.0.0.1',
  port: Number(process.argv[2] ?? 8080),
  routes: {
    '/': { GET: (_, response) => response.sendFile('/chat.html', { root }) },
  },
  handler: (_, response) => response.status(404).end(),
  websocket: {
    maxPayload: 4 * 1024,
    // Only pages of this server may speak here: a browser says which page it has.
    upgrade(request) {
      if (request.path !== '/chat') return { status: 404 };
      const origin = request.header('origin');
      if (origin !== undefined && new URL(origin).host !== request.header('host')) {
        return { status: 403 };
      }
      const asked = new URLSearchParams(request.query).get('name') ?? 'guest';
      return { data: { name: asked.slice(0, NAME_LENGTH_MAX) } };
    },
    open(socket) {
      for (const line of history) socket.send(JSON.stringify(line));
      socket.subscribe(ROOM);
      tell({ what: `${socket.data.name} is here`, told: true });
    },
    message(socket, message) {
      if (typeof message !== 'string') socket.close(1003, 'text only');
      else tell({ who: socket.data.name, what: message.slice(0, TEXT_LENGTH_MAX) });
    },
    close(socket) {
      tell({ what: `${socket.data.name} has left`, told: true });
    },
  },
});
console.log(`http://127.0.0.1:${server.port}/`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => server.stop({ timeout: 5000 }));
}
