// uWebSockets.js: `ws-uws.mjs PORT`. Echo on /, with its shared compressor on /deflate; a message
// on /topic goes to all connections there. WS_TLS=1 with TLS_CERT and TLS_KEY: over TLS.
import { createRequire } from 'node:module';

const uws = createRequire(import.meta.url)('@uwsjs/core');

const PAYLOAD_BYTES_MAX = 64 * 1024 * 1024;
const { WS_TLS, TLS_CERT, TLS_KEY } = process.env;

const app = WS_TLS ? uws.SSLApp({ cert_file_name: TLS_CERT, key_file_name: TLS_KEY }) : uws.App();
const limits = { maxPayloadLength: PAYLOAD_BYTES_MAX, maxBackpressure: PAYLOAD_BYTES_MAX };

app.ws('/', {
  ...limits,
  message: (socket, message, isBinary) => socket.send(message, isBinary),
});
app.ws('/deflate', {
  ...limits,
  compression: uws.SHARED_COMPRESSOR | uws.SHARED_DECOMPRESSOR,
  message: (socket, message, isBinary) => socket.send(message, isBinary, true),
});
app.ws('/topic', {
  ...limits,
  open: (socket) => socket.subscribe('all'),
  message: (_socket, message, isBinary) => app.publish('all', message, isBinary),
});

app.listen('127.0.0.1', Number(process.argv[2] ?? 0), (token) => {
  if (!token) {
    console.error('listen failed');
    process.exit(1);
  }
  console.log(`ready ${uws.us_socket_local_port(token)}`);
});
process.on('SIGTERM', () => process.exit(0));
