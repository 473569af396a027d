// A worker that is in the middle of TLS handshakes until it is terminated. workerData.task:
//   serve    listens with `tls`, and tells its port
//   connect  connects to `port` again and again, `count` at a time, which says how far each comes
import { parentPort, workerData } from 'node:worker_threads';
import { connect, listen } from 'ringpoll';
import { secureContext } from 'ringpoll/tls';

const { task, tls, servername, port, count } = workerData;
const host = '127.0.0.1';

function serve() {
  const listener = listen({ host, port: 0, tls, data() {} });
  parentPort.postMessage(listener.port);
}

async function connectAgain(context) {
  const tls = { secureContext: context, servername };
  for (;;) await connect({ host, port, tls, data() {} }).catch(() => {});
}

if (task === 'serve') {
  serve();
} else {
  // One for all: what is to be ended is a handshake, and not the reading of options.
  const context = secureContext(tls);
  for (let i = 0; i < count; i++) connectAgain(context);
}
