// Ends by itself, or must not. Argument: the case. What it prints says how far it came.
import { connect, Loop, listen } from 'ringpoll';

const host = '127.0.0.1';
const echo = {
  data(connection, chunk) {
    connection.write(chunk);
  },
};
const options = { host, port: 0, ...echo };

const cases = {
  /** Nothing was ever opened. */
  async loopOnly() {
    Loop.current();
  },
  async listenerClosed() {
    listen(options).destroy();
  },
  async everythingClosed() {
    const listener = listen(options);
    const done = new Promise((resolve) => {
      connect({
        host,
        port: listener.port,
        open: (connection) => connection.write('x'),
        data: (connection) => connection.close(),
        close: resolve,
      });
    });
    await done;
    await listener.stop();
  },
  async connectRefused() {
    const listener = listen(options);
    const { port } = listener;
    await listener.stop();
    await connect({ host, port }).catch((error) => console.log(error.code));
  },
  async unreferenced() {
    const listener = listen(options);
    Loop.current().unref();
    const connection = await connect({ host, port: listener.port, data() {} });
    connection.write('x');
  },
  /** Held by the listener until the timer closes it. */
  async timerCloses() {
    const listener = listen(options);
    setTimeout(() => {
      console.log('timer');
      listener.destroy();
    }, 50);
  },
  async timerUnreferencedCloses() {
    const listener = listen(options);
    setTimeout(() => {
      console.log('timer');
      listener.destroy();
    }, 50).unref();
  },
  async referencedAgain() {
    const listener = listen(options);
    Loop.current().unref();
    Loop.current().ref();
    setTimeout(() => {
      console.log('timer');
      listener.destroy();
    }, 50).unref();
  },
  async pendingTimer() {
    listen(options).destroy();
    setTimeout(() => console.log('timer'), 50);
  },
  async signalled() {
    const listener = listen(options);
    process.once('SIGTERM', async () => {
      await listener.stop();
      console.log('drained');
    });
    console.log('ready');
  },
};

process.once('beforeExit', () => console.log('beforeExit'));
await cases[process.argv[2]]();
console.log('end of script');
