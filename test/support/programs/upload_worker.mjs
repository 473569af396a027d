// A worker that is in the middle of bodies on their way up, which it collects whole, until it is
// terminated. It tells how many bytes of them were received straight into their memory.
import { connect } from 'node:net';
import { parentPort } from 'node:worker_threads';
import { Loop } from 'ringpoll';
import { serve } from 'ringpoll/http';

const BODY_BYTES = 300_000;
const CONNECTIONS = 4;
const BYTES_MIN = 1_000_000;

let bytes = 0;

const server = serve({
  host: '127.0.0.1',
  port: 0,
  error() {},
  async handler(request, response) {
    bytes += (await request.body()).length;
    response.end();
    if (bytes > BYTES_MIN) parentPort.postMessage(Loop.current().metrics().httpBodyBytesDirect);
  },
});
const head = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${BODY_BYTES}\r\n\r\n`;
const request = Buffer.from(head + 'x'.repeat(BODY_BYTES));
for (let count = 0; count < CONNECTIONS; count += 1) {
  const socket = connect(server.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.on('data', () => socket.write(request));
  // What comes behind the first one keeps bodies under way all the time.
  for (let ahead = 0; ahead < 3; ahead += 1) socket.write(request);
}
