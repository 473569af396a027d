// Starts one competitor's server for one trial.
import { connect, createServer } from 'node:net';
import { launch } from './process.mjs';

const START_MS = 20_000;
const POLL_MS = 20;

/** The environment of a server: nothing of the runner's own that could change how it runs. */
function serverEnvironment(extra) {
  const env = { ...process.env, NODE_ENV: 'production', ...extra };
  for (const name of Object.keys(env)) {
    if (/^(RINGPOLL_|NODE_OPTIONS$|npm_)/.test(name) && !(name in (extra ?? {}))) delete env[name];
  }
  return env;
}

/**
 * Starts the server and waits until it can be connected to. Gives its `pid`, `port`, `child`, a
 * `stop()`, and as `facts` the `name=value` words of its ready line.
 */
export async function startServer(competitor, { cpu } = {}) {
  const byLine = competitor.ready !== 'connect';
  const wantedPort = byLine ? 0 : await freePort();
  const child = launch(await competitor.command(wantedPort), {
    cpu,
    env: serverEnvironment(competitor.env),
  });
  try {
    const what = `${competitor.name} did not start`;
    const line = byLine ? await readyLine(child, what) : await accepting(child, wantedPort, what);
    const [, port, ...words] = line.split(/\s+/);
    const facts = Object.fromEntries(words.map((word) => word.split('=')));
    for (const [name, value] of Object.entries(competitor.expect ?? {})) {
      if (facts[name] !== value) {
        throw new Error(`${competitor.name} runs with ${name}=${facts[name]}, not ${value}`);
      }
    }
    return { child, pid: child.pid, port: Number(port), facts, stop: () => child.stop() };
  } catch (error) {
    await child.stop();
    throw error;
  }
}

async function readyLine(child, what) {
  for (;;) {
    const line = await child.line(START_MS, what);
    if (line.startsWith('ready')) return line;
  }
}

async function accepting(child, port, what) {
  const deadline = Date.now() + START_MS;
  while (Date.now() < deadline) {
    if (!child.running) throw new Error(`${what}: ${child.describeEnd()}`);
    if (await canConnect(port)) return `ready ${port}`;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(`${what}: port ${port} refuses`);
}

function canConnect(port) {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** A port for a server that cannot choose one itself. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen({ host: '127.0.0.1', port: 0 }, () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
