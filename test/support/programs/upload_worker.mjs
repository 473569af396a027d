// A worker that is in the middle of bodies on their way up, which it collects whole, until it is
// terminated.
import { connect } from 'node:net';
import { parentPort } from 'node:worker_threads';
import { Loop } from 'ringpoll';
import { serve } from 'ringpoll/http';

const BODY_BYTES = 300_000;
const CONNECTIONS = 4;
const BYTES_MIN = 1_000_000;

const server = serve({
  host: '127.0.0.1',
  port: 0,
  error() {},
  async handler(request, response) {
    response.end(String((await request.body()).length));
    const { httpBodyBytesDirect: direct } = Loop.current().metrics();
    if (direct > BYTES_MIN) parentPort.postMessage(direct);
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
