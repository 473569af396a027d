// A trial: a server in a process of its own, and a client that talks to it in lock-step.
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('server.mjs', import.meta.url));
const root = fileURLToPath(new URL('../../', import.meta.url));
const TRIAL_MS_MAX = 60_000;

// A young generation that holds all that a trial allocates: nothing is collected in between.
const HEAP_FLAGS = ['--min-semi-space-size=256', '--max-semi-space-size=256'];

/** Under `prefix` (strace and its arguments) the server runs as that command's child. */
function start(kind, engine, prefix) {
  const env = { ...process.env, RINGPOLL_ENGINE: engine };
  const stdio = ['ignore', 'ignore', 'inherit', 'ipc'];
  if (prefix.length === 0) {
    return fork(program, [kind], { cwd: root, env, stdio, execArgv: HEAP_FLAGS });
  }
  const [command, ...args] = [...prefix, process.execPath, ...HEAP_FLAGS, program, kind];
  return spawn(command, args, { cwd: root, env, stdio });
}

const received = async (child) => {
  const [message] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`the server ended with ${code}`);
    }),
  ]);
  return message;
};

/** Sends `text` and waits until the whole answer is there; `times` times. */
async function exchange(socket, text, answerBytes, times) {
  let bytes = 0;
  let left = times;
  let finish;
  const done = new Promise((resolve, reject) => {
    finish = resolve;
    socket.once('error', reject);
  });
  const take = (chunk) => {
    bytes += chunk.length;
    if (bytes < answerBytes) return;
    bytes -= answerBytes;
    left -= 1;
    if (left > 0) socket.write(text);
    else finish();
  };
  socket.on('data', take);
  socket.write(text);
  await done;
  socket.off('data', take);
}

/** How long the answer to `text` is: what comes until the server falls silent for a moment. */
async function answerLength(socket, text, count) {
  let answer = '';
  socket.setEncoding('latin1');
  socket.write(text);
  const isWhole = () => answer.split('\r\n\r\nhello').length - 1 === count;
  while (!isWhole()) answer += (await once(socket, 'data'))[0];
  return answer.length;
}

/**
 * Resolves with the differences of what the server counts, over `times` exchanges. `messages` of
 * `text` are in one exchange.
 */
export async function trial({ kind, engine, text, messages = 1, times, warmUp, prefix = [] }) {
  const child = start(kind, engine, prefix);
  const killer = setTimeout(() => child.kill('SIGKILL'), TRIAL_MS_MAX);
  try {
    const { port } = await received(child);
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    const whole = text.repeat(messages);
    const bytes = kind === 'http' ? await answerLength(socket, whole, messages) : whole.length;
    await exchange(socket, whole, bytes, warmUp);
    const mark = () => {
      const answer = received(child);
      child.send('mark');
      return answer;
    };
    const before = await mark();
    if (times > 0) await exchange(socket, whole, bytes, times);
    const after = await mark();
    const gone = once(child, 'exit');
    child.send('end');
    await gone;
    socket.destroy();
    return { before, after, messages: times * messages };
  } finally {
    clearTimeout(killer);
    child.kill('SIGKILL');
  }
}
