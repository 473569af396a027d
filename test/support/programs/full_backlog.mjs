// Listens with the shortest backlog and never accepts: what comes when it is full is not answered.

import { writeSync } from 'node:fs';
import { createServer } from 'node:net';

const server = createServer();
const [host = '127.0.0.1', port = 0] = process.argv.slice(2);
server.listen({ host, port: Number(port), backlog: 1 }, () => {
  writeSync(1, `ready ${server.address().port}\n`);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
  process.exit();
});
