// An echo server in a process of its own: prints `ready PORT`, then for each line on its standard
// input what was asked: `connections`, `metrics`, or `stop`.
import { createInterface } from 'node:readline';
import { Loop, listen } from 'ringpoll';

const where = process.argv[2] === 'fd' ? { fd: 3 } : { host: '127.0.0.1', port: 0 };
const listener = listen({
  ...where,
  data: (connection, chunk) => {
    connection.write(chunk);
  },
  error() {},
});
console.log(`ready ${listener.address.port}`);

const input = createInterface({ input: process.stdin });
for await (const line of input) {
  if (line === 'connections') console.log(listener.connections);
  if (line === 'metrics') console.log(JSON.stringify(Loop.current().metrics()));
  if (line === 'stop') {
    await listener.stop({ timeout: 2000 });
    console.log('stopped');
    break;
  }
}
input.close();
process.stdin.destroy();
