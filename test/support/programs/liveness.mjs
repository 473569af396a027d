// What keeps a process alive: the argument names a case. It prints its port when it listens, and
// ends when nothing is left that keeps it.
import { writeSync } from 'node:fs';
import { adopt, connect, listen } from 'ringpoll';

const [what, port] = process.argv.slice(2);
const say = (line) => writeSync(1, `${line}\n`);
const server = () => {
  const listener = listen({ host: '127.0.0.1', port: 0, data() {} });
  say(`ready ${listener.port}`);
  return listener;
};
const client = () => connect({ host: '127.0.0.1', port: Number(port), data() {} });

const CASES = {
  'listener unref'() {
    server().unref();
  },
  'listener unref ref'() {
    server().unref().ref();
  },
  async 'connection unref'() {
    (await client()).unref();
  },
  async 'connection unref ref'() {
    (await client()).unref().ref();
    say('open');
  },
  // Bytes that the peer does not take keep the process until it does.
  async 'connection unref with bytes to send'() {
    const connection = await client();
    connection.unref();
    connection.write(Buffer.alloc(16 * 1024 * 1024, 'x'));
    say('written');
  },
  async 'ref in a timer'() {
    const connection = await client();
    connection.unref();
    setTimeout(() => {
      connection.ref();
      say('ref');
    }, 1);
  },
  // The descriptor of a connection that Node has made.
  async adopt() {
    const { Socket } = await import('node:net');
    const socket = new Socket();
    await new Promise((resolve) => socket.connect(Number(port), '127.0.0.1', resolve));
    socket.pause();
    const connection = await adopt({
      fd: socket._handle.fd,
      data: (_, chunk) => say(chunk.toString()),
    });
    connection.write('adopted');
    connection.unref();
  },
};
await CASES[what]();
