// An echo server in a process of its own: prints `ready PORT`, then for each line on its standard
// input what was asked: `connections`, `metrics`, `refusal` (of accept), or `stop`.
import { createInterface } from 'node:readline';
import { Loop, listen } from 'ringpoll';

const where = process.argv[2] === 'fd' ? { fd: 3 } : { host: '127.0.0.1', port: 0 };
let refusal;
const listener = listen({
  ...where,
  acceptError: ({ code, syscall }) => {
    refusal = { code, syscall };
  },
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
  if (line === 'refusal') console.log(JSON.stringify(refusal));
  if (line === 'stop') {
    await listener.stop({ timeout: 2000 });
    console.log('stopped');
    break;
  }
}
input.close();
process.stdin.destroy();
