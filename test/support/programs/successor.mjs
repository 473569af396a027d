// A server that is replaced without a pause: node successor.mjs NAME. It takes the listener that it
// has inherited, or opens one. A line on standard input starts the next one, by the name in it.

import { createInterface } from 'node:readline';
import { serve } from 'ringpoll/http';
import {
  inheritedListeners,
  notify,
  passListeners,
  shutdownWith,
  successorReady,
  watchdog,
} from 'ringpoll/lifecycle';

const [name] = process.argv.slice(2);
if (name === 'broken') throw new Error('this release does not start');
const [inherited] = inheritedListeners();
const where = inherited === undefined ? { host: '127.0.0.1', port: 0 } : { fd: inherited.fd };
const server = serve({
  ...where,
  handler: async () => {
    await new Promise((resolve) => setTimeout(resolve, 2));
    return name;
  },
});
// It serves, and says so to nobody: it is ended, and has to answer what it has accepted.
if (name === 'mute') shutdownWith(server);
else successorReady();
const stopWatchdog = watchdog();
console.log(`ready ${server.port}`);
console.log(`inherited ${inherited?.name ?? 'nothing'} ${process.env.LISTEN_FDS ?? ''}`.trim());

createInterface({ input: process.stdin }).on('line', async (next) => {
  try {
    const command = [process.execPath, process.argv[1], next];
    console.log(`passed ${await passListeners({ web: server }, { command, timeout: 5000 })}`);
    notify({ STOPPING: 1 });
    stopWatchdog?.();
    await server.stop({ timeout: 5000 });
    process.exit(0);
  } catch (error) {
    console.log(`kept ${error.code}`);
  }
});
