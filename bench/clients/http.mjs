// node bench/clients/http.mjs CLIENT PORT PATH CONNECTIONS SECONDS WARM_UP: requests in a closed
// loop, one at a time on each connection. CLIENT: ringpoll, ringpoll-fetch, undici, or fetch (the
// platform's).
import { createRequire } from 'node:module';
import { closedLoop } from './closed_loop.mjs';

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
const senders = Array(Number(connections)).fill(send);
await closedLoop(senders, Number(seconds), Number(warmUp));
process.exit(0);
