// A worker that is in the middle of TLS handshakes until it is terminated. workerData.task:
//   serve    listens with `tls`, and tells its port
//   connect  connects to `port` again and again, `count` at a time, which says how far each comes
import { parentPort, workerData } from 'node:worker_threads';
import { connect, listen } from 'ringpoll';

const { task, tls, port, count } = workerData;
const host = '127.0.0.1';

function serve() {
  const listener = listen({ host, port: 0, tls, data() {} });
  parentPort.postMessage(listener.port);
}

async function connectAgain() {
  for (;;) await connect({ host, port, tls, data() {} }).catch(() => {});
}

if (task === 'serve') serve();
else for (let i = 0; i < count; i++) connectAgain();
