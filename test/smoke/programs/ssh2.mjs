// ssh2 on both sides: commands, a stream of many bytes each way, and a forwarded port.
import { generateKeyPairSync } from 'node:crypto';
import net from 'node:net';
import ssh2 from 'ssh2';
import { closed, digest, failure, listening, say } from './say.mjs';

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
});
const BYTES = 4_000_000;

const server = new ssh2.Server({ hostKeys: [privateKey] }, (client) => {
  client.on('error', () => {});
  client.on('authentication', (context) =>
    context.method === 'password' && context.password === 'secret'
      ? context.accept()
      : context.reject(['password']),
  );
  client.on('ready', () => {
    client.on('session', (accept) => {
      accept().on('exec', (accept, _, { command }) => {
        const stream = accept();
        if (command === 'many') {
          stream.write(Buffer.alloc(BYTES, 'ringpoll'));
        } else if (command === 'count') {
          let bytes = 0;
          stream.on('data', (chunk) => {
            bytes += chunk.length;
          });
          stream.on('end', () => {
            stream.write(String(bytes));
            stream.exit(0);
            stream.end();
          });
          return;
        } else {
          stream.stderr.write('oops');
          stream.write(`ran ${command}`);
        }
        stream.exit(command === 'fails' ? 3 : 0);
        stream.end();
      });
    });
    client.on('tcpip', (accept, _, { destPort }) => {
      const channel = accept();
      const socket = net.connect(destPort, '127.0.0.1');
      channel.pipe(socket).pipe(channel);
    });
  });
});
const port = await listening(server);

async function connected(password) {
  const client = new ssh2.Client();
  const ready = new Promise((resolve, reject) => client.on('ready', resolve).on('error', reject));
  client.connect({ host: '127.0.0.1', port, username: 'me', password });
  await ready;
  return client;
}

function exec(client, command, input) {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, stream) => {
      if (error) return reject(error);
      const out = [];
      const err = [];
      stream.on('data', (chunk) => out.push(chunk));
      stream.stderr.on('data', (chunk) => err.push(chunk));
      stream.on('close', (code) => resolve([Buffer.concat(out), String(Buffer.concat(err)), code]));
      if (input !== undefined) stream.end(input);
    });
  });
}

const client = await connected('secret');
for (const command of ['list', 'fails']) {
  const [out, err, code] = await exec(client, command);
  say(command, [String(out), err, code]);
}
const [many] = await exec(client, 'many');
say('many', [many.length, digest(many)]);
say('count', String((await exec(client, 'count', Buffer.alloc(BYTES)))[0]));

const echo = net.createServer((socket) => socket.pipe(socket));
const echoPort = await listening(echo);
const channel = await new Promise((resolve, reject) => {
  const done = (error, stream) => (error ? reject(error) : resolve(stream));
  client.forwardOut('127.0.0.1', 1, '127.0.0.1', echoPort, done);
});
let back = 0;
channel.on('data', (chunk) => {
  back += chunk.length;
});
const over = new Promise((resolve) => channel.on('close', resolve));
channel.end(Buffer.alloc(1_000_000));
await over;
say('forwarded', back);
const gone = new Promise((resolve) => client.on('close', resolve));
client.end();
await gone;
say('wrong password', await failure(connected('no')));
await closed(echo);
await closed(server);
