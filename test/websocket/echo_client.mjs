// The client that Autobahn's fuzzing server tries: node echo_client.mjs URL. It asks how many cases
// there are, and echoes in each. TLS_CERT names the certificate of a wss server.
import { readFileSync } from 'node:fs';
import { connectWebSocket } from 'ringpoll/websocket';

const PAYLOAD_BYTES_MAX = 64 * 1024 * 1024;
const [url] = process.argv.slice(2);
const secure = url.startsWith('wss:') && { tls: { ca: readFileSync(process.env.TLS_CERT) } };

async function countCases() {
  let count;
  const client = await connectWebSocket(`${url}/getCaseCount`, {
    ...secure,
    message(_, message) {
      count = JSON.parse(message);
    },
  });
  await client.closed;
  return count;
}

async function runCase(number) {
  const client = await connectWebSocket(`${url}/runCase?case=${number}&agent=ringpoll`, {
    ...secure,
    maxPayload: PAYLOAD_BYTES_MAX,
    perMessageDeflate: true,
    message(socket, message) {
      if (!socket.send(message)) socket.pause();
    },
    drain: (socket) => socket.resume(),
    error() {},
  });
  await client.closed;
}

const count = await countCases();
for (let number = 1; number <= count; number += 1) await runCase(number);
const last = await connectWebSocket(`${url}/updateReports?agent=ringpoll`, { ...secure });
await last.closed;
