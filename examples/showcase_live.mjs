// The live page of the showcase: what the loop does, pushed to every page that is open.
import { Loop } from 'ringpoll';

const REPORT_MS = 500;
const TOPIC = 'reports';

/** Operations by the engine or route that did them: [operation, by, count]. */
function waysOf({ open, receive, send, file }) {
  const routes = Object.entries(receive.routes).map(([route, { receives }]) => [route, receives]);
  const kinds = {
    'open a connection': Object.entries(open.ways),
    receive: routes,
    send: Object.entries(send.ways),
    'work on a file': Object.entries(file.ways),
  };
  return Object.entries(kinds).flatMap(([what, ways]) =>
    ways.filter(([, count]) => count > 0).map(([by, count]) => [what, by, count]),
  );
}

/** The option `websocket` of serve(). `facts()` gives what the servers have counted. */
export function livePage(facts) {
  const loop = Loop.current();
  let ticker;

  const report = () => {
    const text = JSON.stringify({
      at: Date.now(),
      uptime: process.uptime(),
      engine: loop.engine,
      memory: Math.round(process.memoryUsage.rss() / 2 ** 20),
      ways: waysOf(loop.explain()),
      ...facts(),
    });
    return text;
  };
  const publish = (server) => server.publish(TOPIC, report());
  return {
    stop: () => clearInterval(ticker),
    start(server) {
      ticker = setInterval(publish, REPORT_MS, server);
    },
    websocket: {
      maxPayload: 64,
      upgrade: (request) => (request.path === '/live' ? {} : { status: 404 }),
      open(socket) {
        socket.send(report());
        socket.subscribe(TOPIC);
      },
      message(socket, message) {
        if (message === 'ping') socket.send('pong');
      },
    },
  };
}
