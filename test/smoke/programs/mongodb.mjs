// The MongoDB driver. There is no server to be had here, so a stand-in in the same process answers:
// hello, ping, insert, find, getMore and endSessions, over the wire protocol.
import net from 'node:net';
import { BSON, MongoClient } from 'mongodb';
import { closed, failure, listening, say } from './say.mjs';

const HEADER_BYTES = 16;
const OP_MSG = 2013;
const OP_QUERY = 2004;
const OP_REPLY = 1;
const documents = [];

function answerTo(command, database) {
  const name = Object.keys(command)[0];
  if (name === 'hello' || name === 'ismaster' || name === 'isMaster') {
    return {
      ...{ ismaster: true, isWritablePrimary: true, helloOk: true, ok: 1 },
      ...{ maxBsonObjectSize: 16_777_216, maxMessageSizeBytes: 48_000_000 },
      ...{ maxWriteBatchSize: 100_000, minWireVersion: 0, maxWireVersion: 21, readOnly: false },
      ...{ logicalSessionTimeoutMinutes: 30 },
    };
  }
  if (name === 'insert') {
    documents.push(...command.documents);
    return { n: command.documents.length, ok: 1 };
  }
  if (name === 'find') {
    const ns = `${database}.${command.find}`;
    return { cursor: { firstBatch: documents.slice(0, 10), id: 5n, ns }, ok: 1 };
  }
  if (name === 'getMore') {
    const ns = `${database}.${command.collection}`;
    return { cursor: { nextBatch: documents.slice(10), id: 0n, ns }, ok: 1 };
  }
  if (name === 'ping' || name === 'endSessions' || name === 'killCursors') return { ok: 1 };
  return { ok: 0, errmsg: `no such command: ${name}`, code: 59, codeName: 'CommandNotFound' };
}

/** The command of an OP_MSG: a document, and sequences of them beside it. */
function commandOf(message) {
  let command = {};
  for (let at = HEADER_BYTES + 4; at < message.length; ) {
    const kind = message[at++];
    const length = message.readInt32LE(at);
    if (kind === 0) {
      command = { ...BSON.deserialize(message.subarray(at, at + length)), ...command };
    } else {
      const nul = message.indexOf(0, at + 4);
      const name = message.toString('utf8', at + 4, nul);
      const list = [];
      for (let in_ = nul + 1; in_ < at + length; in_ += message.readInt32LE(in_)) {
        list.push(BSON.deserialize(message.subarray(in_, in_ + message.readInt32LE(in_))));
      }
      command = { ...command, [name]: list };
    }
    at += length;
  }
  return command;
}

function answer(socket, message) {
  const id = message.readInt32LE(4);
  const isMessage = message.readInt32LE(12) === OP_MSG;
  if (!isMessage && message.readInt32LE(12) !== OP_QUERY) throw new Error('a strange message');
  const query = () => {
    const at = message.indexOf(0, HEADER_BYTES + 4) + 1 + 8;
    return BSON.deserialize(message.subarray(at, at + message.readInt32LE(at)));
  };
  const command = isMessage ? commandOf(message) : query();
  const body = BSON.serialize(answerTo(command, command.$db));
  const before = isMessage ? Buffer.alloc(5) : Buffer.alloc(20);
  if (!isMessage) before.writeInt32LE(1, 16);
  const head = Buffer.alloc(HEADER_BYTES);
  head.writeInt32LE(HEADER_BYTES + before.length + body.length, 0);
  head.writeInt32LE(id, 8);
  head.writeInt32LE(isMessage ? OP_MSG : OP_REPLY, 12);
  socket.write(Buffer.concat([head, before, body]));
}

const sockets = new Set();
const server = net.createServer((socket) => {
  sockets.add(socket);
  socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  let rest = Buffer.alloc(0);
  socket.on('data', (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    while (rest.length >= 4 && rest.length >= rest.readInt32LE(0)) {
      const length = rest.readInt32LE(0);
      answer(socket, rest.subarray(0, length));
      rest = rest.subarray(length);
    }
  });
});
const port = await listening(server);
const client = new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true&maxPoolSize=5`);
await client.connect();
const things = client.db('smoke').collection('things');
say('ping', await client.db('smoke').command({ ping: 1 }));
const made = Array.from({ length: 50 }, (_, i) => ({ _id: i, text: 'x'.repeat(i * 1000) }));
say('inserted', (await things.insertMany(made)).insertedCount);
const found = await things.find().toArray();
say('found', [found.length, found.at(-1).text.length]);
const pings = Array.from({ length: 100 }, () => client.db('smoke').command({ ping: 1 }));
say('pings', (await Promise.all(pings)).length);
say('unknown', await failure(client.db('smoke').command({ nothing: 1 })));
for (const socket of sockets) socket.destroy();
let pong;
for (let tries = 0; pong === undefined && tries < 20; tries++) {
  // The first ones may meet connections that are about to be seen as lost.
  pong = await client
    .db('smoke')
    .command({ ping: 1 })
    .catch(() => undefined);
}
say('after all connections were lost', pong);
await client.close();
await closed(server);
const none = new MongoClient(`mongodb://127.0.0.1:${port}/`, { serverSelectionTimeoutMS: 300 });
say('nobody listens', await none.connect().catch(({ name }) => name));
await none.close();
