// Calls every function that can be reached from objects of the faces, on receivers and with
// arguments that are not its own. Whatever it throws, it must not end the process.
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';

const uncaught = [];
process.on('uncaughtException', (error) => uncaught.push(error));
process.on('unhandledRejection', (error) => uncaught.push(error));
process.on('warning', () => {});

const echo = net.createServer((socket) => socket.on('error', () => {}).pipe(socket));
echo.listen(0, '127.0.0.1');
await once(echo, 'listening');
const web = http.createServer();
web.listen(0, '127.0.0.1');
await once(web, 'listening');

async function objects() {
  const [, client] = await Promise.all([
    once(echo, 'connection'),
    (async () => {
      const socket = net.connect(echo.address().port, '127.0.0.1').on('error', () => {});
      await once(socket, 'connect');
      return socket;
    })(),
  ]);
  const asked = http.get({ port: web.address().port, host: '127.0.0.1', agent: false });
  asked.on('error', () => {});
  const [request, response] = await once(web, 'request');
  request.socket.on('error', () => {});
  const unconnected = new net.Socket().on('error', () => {});
  const found = [
    ...[client._handle, echo._handle, web._handle, request.socket._handle, asked.socket._handle],
    ...[client, request, response, request.socket, unconnected, asked],
  ];
  return found.filter((each) => typeof each === 'object' && each !== null);
}

/** Functions on an object and on its prototypes, getters and setters too; not those of Object. */
function functionsOf(object) {
  const functions = [];
  let of = object;
  for (; of !== null && of !== Object.prototype; of = Object.getPrototypeOf(of)) {
    for (const key of Reflect.ownKeys(of)) {
      const { value, get, set } = Object.getOwnPropertyDescriptor(of, key);
      // A constructor is called with new below; on an emitter's own members it says nothing.
      for (const each of [value, get, set]) {
        if (typeof each === 'function' && key !== 'constructor') functions.push([key, each]);
      }
    }
  }
  return functions;
}

const strange = () => [
  ...[undefined, null, 0, -1, 2 ** 31, 'text', Symbol('x'), {}, [], () => {}],
  ...[Object.create(null), new Proxy({}, {}), new Uint8Array(4), { fd: 3, port: 1, address: '::' }],
];

/** They close what they are called on: the others go first, and meet what is open. */
const CLOSES = /close|destroy|reset|end|abort|_finish|shutdown|dump/i;
/** More of them would be opened, and never closed. */
const LEFT_OUT = new Set(['listen', 'connect']);
const SETS = 6;

const sets = [];
while (sets.length < SETS) sets.push(await objects());
const functions = new Map();
for (const object of sets[0]) {
  for (const [key, each] of functionsOf(object)) {
    if (!LEFT_OUT.has(key)) functions.set(each, CLOSES.test(String(key)) ? 1 : 0);
  }
}
const inOrder = [...functions].sort(([, a], [, b]) => a - b).map(([each]) => each);
let calls = 0;
let thrown = 0;
for (const [index, each] of inOrder.entries()) {
  for (const receiver of [...strange(), ...sets[index % SETS]]) {
    for (const given of [[], ...strange().map((value) => [value, value, value])]) {
      calls++;
      try {
        const result = Reflect.apply(each, receiver, given);
        if (typeof result?.catch === 'function') result.catch(() => {});
      } catch {
        thrown++;
      }
    }
  }
}
// What was begun by it goes on for some turns of the loop.
for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
const isWide = functions.size > 100 && calls > 10_000 && thrown > 1000;
writeSync(1, `survived ${isWide ? 'all' : `${functions.size} ${calls} ${thrown}`}\n`);
process.exit(0);
