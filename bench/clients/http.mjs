// node bench/clients/http.mjs CLIENT PORT PATH CONNECTIONS SECONDS WARM_UP: requests in a closed
// loop, one at a time on each connection. CLIENT: ringpoll, ringpoll-fetch, undici, or fetch (the
// platform's). Prints a line of JSON: requests, bytes, seconds, and the CPU time of this process.
import { createRequire } from 'node:module';

const [which, port, path, connections, seconds, warmUp] = process.argv.slice(2);
const url = `http://127.0.0.1:${port}${path}`;

const clients = {
  async ringpoll() {
    const { Client } = await import('ringpoll/client');
    const client = new Client({ maxConnections: Number(connections) });
    return async () => (await (await client.request(url)).bytes()).length;
  },
  async 'ringpoll-fetch'() {
    const { Client, fetch } = await import('ringpoll/client');
    const client = new Client({ maxConnections: Number(connections) });
    return async () => (await (await fetch(url, { client })).arrayBuffer()).byteLength;
  },
  async undici() {
    const peers = createRequire(new URL('../peers/package.json', import.meta.url));
    const { Agent, request } = peers('undici');
    const dispatcher = new Agent({ connections: Number(connections), pipelining: 1 });
    return async () => {
      const { body } = await request(url, { dispatcher });
      return (await body.arrayBuffer()).byteLength;
    };
  },
  async fetch() {
    return async () => (await (await fetch(url)).arrayBuffer()).byteLength;
  },
};

const send = await clients[which]();
let requests = 0;
let bytes = 0;
let over = false;

async function worker() {
  while (!over) {
    bytes += await send();
    requests++;
  }
}

const sleep = (s) => new Promise((resolve) => setTimeout(resolve, s * 1000));
const workers = Array.from({ length: Number(connections) }, worker);
await sleep(Number(warmUp));
const before = { requests, bytes, cpu: process.cpuUsage(), at: performance.now() };
await sleep(Number(seconds));
const { user, system } = process.cpuUsage(before.cpu);
const report = {
  requests: requests - before.requests,
  bytes: bytes - before.bytes,
  seconds: (performance.now() - before.at) / 1000,
  userUs: user,
  systemUs: system,
};
over = true;
await Promise.all(workers);
console.log(JSON.stringify(report));
process.exit(0);
