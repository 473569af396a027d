// What ringpoll/net does to a whole process: the argument names a case, which prints what it sees.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { installNet, uninstallNet } from 'ringpoll/net';

const [what, key, cert] = process.argv.slice(2);
const say = (line) => writeSync(1, `${line}\n`);
const { active, reason } = installNet();
if (!active) say(`not active: ${reason}`);

async function listening(listener, server = net.createServer(listener)) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: server.address().port };
}
const isOurs = (socket) => socket._handle.constructor.name === 'StreamHandle';

async function received(socket) {
  let all = '';
  for await (const bytes of socket) all += bytes;
  return all;
}

const CASES = {
  // A listener's throw is an uncaught exception, and its connection lives on.
  async throws() {
    process.on('uncaughtException', ({ message }) => say(`uncaught ${message}`));
    const { server, port } = await listening((socket) => {
      socket.once('data', () => {
        throw new Error('of a listener');
      });
      socket.on('data', (bytes) => socket.write(bytes));
      socket.on('end', () => server.close());
    });
    const socket = net.connect(port, '127.0.0.1');
    socket.write('one');
    await once(process, 'uncaughtException');
    socket.end('two');
    say(await received(socket));
  },
  async uninstalled() {
    const { server, port } = await listening((socket) => socket.end());
    for (const undo of [() => {}, uninstallNet]) {
      undo();
      const socket = net.connect(port, '127.0.0.1');
      say(isOurs(socket));
      await received(socket);
    }
    server.close();
  },
  // The process ends although all of them are open.
  async unref() {
    const { server, port } = await listening((socket) => socket.unref());
    const socket = net.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    server.unref();
    socket.unref();
    say('unref');
  },
  // ... and so it does when none of them is read.
  async paused() {
    const { server, port } = await listening((socket) => socket.unref());
    server.unref();
    const socket = net.connect({ port, host: '127.0.0.1' });
    await once(socket, 'connect');
    socket._handle.readStop();
    say('paused');
  },
  async tls() {
    const { TLSSocket, connect } = await import('node:tls');
    const { server, port } = await listening((socket) => {
      socket.once('data', () => {
        socket.write('go on', () => {
          const secure = new TLSSocket(socket, { isServer: true, key, cert });
          secure.on('data', (bytes) => secure.end(`secure ${bytes}`));
        });
      });
    });
    const plain = net.connect(port, '127.0.0.1');
    plain.write('STARTTLS');
    await once(plain, 'data');
    say(isOurs(plain));
    const secure = connect({ socket: plain, rejectUnauthorized: false });
    secure.write('hello');
    say(await received(secure));
    server.close();
  },
  // TLS over a socket that is connecting still, to a server that speaks TLS.
  async 'tls early'() {
    const { createServer, connect } = await import('node:tls');
    const options = { key, cert };
    const made = createServer(options, (socket) => socket.end('secure'));
    const { server, port } = await listening(undefined, made);
    const plain = net.connect(port, '127.0.0.1');
    say(await received(connect({ socket: plain, rejectUnauthorized: false })));
    server.close();
  },
  // A connection and a listening server are sent to a child, which may have neither of ours.
  async send() {
    const child = fork(fileURLToPath(import.meta.url), ['child']);
    const { server, port } = await listening((socket) => child.send('socket', socket));
    say(await received(net.connect(port, '127.0.0.1')));
    server.removeAllListeners('connection');
    child.send('server', server);
    await once(child, 'message');
    server.close();
    say(await received(net.connect(port, '127.0.0.1')));
    child.send('over');
    const [code, signal] = await once(child, 'exit');
    say(`child ${code} ${signal}`);
  },
  async child() {
    let taken;
    process.on('message', (message, handle) => {
      if (message === 'socket') handle.end('from the child');
      if (message === 'over') {
        taken.close();
        process.disconnect();
      }
      if (message !== 'server') return;
      taken = handle;
      handle.on('connection', (socket) => socket.end("by the child's server"));
      process.send('listening');
    });
  },
};
await CASES[what]();
