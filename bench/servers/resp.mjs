/** The RESP example as a server to measure: node bench/servers/resp.mjs PORT */

import { serveResp } from '../../examples/resp/server.mjs';

const drainDeadline = 1000; // milliseconds

const server = serveResp({ port: Number(process.argv[2] ?? 0) });
console.log(`ready ${server.address.address}:${server.address.port}`);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => server.stop({ timeout: drainDeadline }));
}
