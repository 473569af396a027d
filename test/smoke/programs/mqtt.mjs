// mqtt and aedes: over TCP, over TLS, and over WebSocket.
import http from 'node:http';
import net from 'node:net';
import tls from 'node:tls';
import { Aedes } from 'aedes';
import mqtt from 'mqtt';
import { createWebSocketStream, WebSocketServer } from 'ws';
import { closed, listening, next, say } from './say.mjs';

const certificate = { cert: process.env.SMOKE_CERT, key: process.env.SMOKE_KEY };
const broker = await Aedes.createBroker();
const tcp = net.createServer(broker.handle);
const secure = tls.createServer(certificate, broker.handle);
const web = http.createServer();
new WebSocketServer({ server: web, handleProtocols: () => 'mqtt' }).on(
  'connection',
  (socket, request) => broker.handle(createWebSocketStream(socket), request),
);
const ports = [await listening(tcp), await listening(secure), await listening(web)];
const urls = [
  `mqtt://127.0.0.1:${ports[0]}`,
  `mqtts://127.0.0.1:${ports[1]}`,
  `ws://127.0.0.1:${ports[2]}`,
];

for (const url of urls) {
  const kind = url.split(':')[0];
  const options = { rejectUnauthorized: false, clientId: `${kind}-client` };
  const client = await mqtt.connectAsync(url, options);
  const messages = [];
  const all = new Promise((resolve) => {
    client.on('message', (topic, payload, { qos, retain }) => {
      if (messages.push(`${topic} ${payload.length} ${qos} ${retain}`) === 102) resolve();
    });
  });
  await client.publishAsync(`${kind}/kept`, 'kept', { retain: true, qos: 1 });
  await client.subscribeAsync(`${kind}/#`, { qos: 2 });
  for (let i = 0; i < 100; i++) client.publish(`${kind}/news`, 'x'.repeat(i * 100), { qos: i % 3 });
  const dying = await mqtt.connectAsync(url, {
    ...options,
    clientId: `${kind}-dying`,
    reconnectPeriod: 0,
    will: { topic: `${kind}/will`, payload: 'bye', qos: 1 },
  });
  dying.stream.destroy();
  await all;
  say(kind, [messages.length, messages.filter((each) => /kept|will/.test(each)).sort()]);
  say(
    `${kind} bytes`,
    messages.reduce((sum, each) => sum + Number(each.split(' ')[1]), 0),
  );
  await dying.endAsync(true);
  await client.endAsync();
}
// A broker that goes away is found again.
const client = await mqtt.connectAsync(urls[0], { reconnectPeriod: 50 });
const lost = next(client, 'close');
client.stream.destroy();
await lost;
await next(client, 'connect');
say('connected again', client.connected);
await client.endAsync();
await new Promise((resolve) => broker.close(resolve));
web.closeAllConnections();
await Promise.all([tcp, secure, web].map(closed));
