// A worker that is in the middle of TLS handshakes until it is terminated. workerData.task:
//   serve    listens with `tls`, and tells its port
//   options  has native code read options again and again, and says when it begins
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

// Thousands of reads in one call: it is likely that the worker ends between two of them.
function readOptions() {
  const deny = Array.from({ length: 4000 }, (_, i) => `10.${i >> 8}.${i & 255}.0/24`);
  const listener = listen({ host, port: 0, tls, data() {} });
  parentPort.postMessage('begins');
  for (;;) listener.setAccess({ deny });
}

async function connectAgain(context) {
  const tls = { secureContext: context, servername };
  for (;;) await connect({ host, port, tls, data() {} }).catch(() => {});
}

if (task === 'serve') {
  serve();
} else if (task === 'options') {
  readOptions();
} else {
  // One for all: what is to be ended is a handshake, and not the reading of options.
  const context = secureContext(tls);
  for (let i = 0; i < count; i++) connectAgain(context);
}
