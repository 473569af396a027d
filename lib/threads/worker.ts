// What runs in each thread of a group: it loads the module, and serves what that says.
import { parentPort, workerData } from 'node:worker_threads';
import { boolean, integer } from '../checks.js';
import { asError, invalidArgType, invalidArgValue } from '../errors.js';
import { type HttpServer, type ServeOptions, serve } from '../http/index.js';
import { type Listener, type ListenOptions, Loop, listen } from '../index.js';
import { runtime } from '../runtime/runtime.js';
import { systemError } from '../runtime/system_error.js';
import { addressesOf, checkTarget } from '../tcp/listen_address.js';
import { BACKLOG_DEFAULT, checkConnectionOptions } from '../tcp/options.js';
import {
  type FromThread,
  type Place,
  type ThreadStart,
  type ToThread,
  tell,
  told,
} from './messages.js';
import { pin } from './placement.js';
import type { GroupThread } from './thread.js';
import { threadTopics } from './topics.js';

type Options = ServeOptions | ListenOptions;
type Server = HttpServer | Listener;

const ENOMEM = 12;
const SYSCALL_NONE = 0;

const start = workerData as ThreadStart;
const servers: Server[] = [];
/** Native code's endpoint, by the group's number of the listener. */
const endpoints: number[] = [];
const NO_ENDPOINT = 0xffff_ffff;
const listening = new Map<number, (message: ToThread) => void>();

function send(message: FromThread): void {
  parentPort?.postMessage(message);
}

function isHttp(options: Options): options is ServeOptions {
  return 'handler' in options || 'fetch' in options || 'routes' in options;
}

/** Where it is to listen; all else is checked by serve() and listen(). */
function placeOf(options: Options): Place {
  if (options.fd !== undefined) {
    throw invalidArgValue('options.fd', 'left out: the group opens the sockets', options.fd);
  }
  const { name, port } = checkTarget(options);
  const { noDelay, keepAliveMs } = checkConnectionOptions(options as ListenOptions);
  return {
    names: port < 0 ? [name] : addressesOf(runtime().native, name),
    port,
    host: name,
    backlog: integer('options.backlog', options.backlog, 1, 65535, BACKLOG_DEFAULT),
    reusePort: boolean('options.reusePort', options.reusePort, false),
    ipv6Only: boolean('options.ipv6Only', options.ipv6Only, false),
    noDelay,
    keepAliveMs,
  };
}

/** The group's number of the listener. */
function open(index: number, place: Place): Promise<number> {
  return new Promise((resolve, reject) => {
    listening.set(index, (message) => {
      if (message.kind === 'listening') resolve(message.listener);
      else if (message.kind === 'refused') reject(told(message.told));
    });
    send({ kind: 'listen', index, place });
  });
}

/** WebSockets of all threads have the same topics, if the module does not say which. */
function withTopics(options: ServeOptions, index: number): ServeOptions {
  const { websocket } = options;
  if (websocket === undefined || websocket.topics !== undefined) return options;
  return { ...options, websocket: { ...websocket, topics: threadTopics(start.topics, index) } };
}

async function serveOne(options: Options, index: number): Promise<Server> {
  if (typeof options !== 'object' || options === null) {
    throw invalidArgType('the default export', 'options of serve() or listen()', options);
  }
  const listener = await open(index, placeOf(options));
  const { native } = runtime();
  const fd = native.groupTake(start.ringpollGroup, listener, start.thread);
  const where = { host: undefined, port: undefined, path: undefined, fd };
  if (!isHttp(options)) {
    const server = listen({ ...options, ...where });
    const { ringpollGroup: group, threads } = start;
    server._joinGroup({ group, threads, listener });
    endpoints[listener] = server._endpointId;
    return server;
  }
  return serve({ ...withTopics(options, index), ...where } as ServeOptions);
}

async function begin(): Promise<void> {
  if (start.cpu !== undefined) pin([start.cpu]);
  runtime().native.groupJoin(start.ringpollGroup, start.thread);
  const module = (await import(start.module)) as { default?: unknown };
  const { thread: number, threads, generation, cpu, data } = start;
  const thread: GroupThread = { number, threads, generation, cpu, data };
  const given = module.default;
  const options = (await (typeof given === 'function' ? given(thread) : given)) as Options;
  const all = Array.isArray(options) ? (options as Options[]) : [options];
  // One after the other, so that all threads name their listeners alike.
  for (const [index, each] of all.entries()) servers.push(await serveOne(each, index));
  const taken = Uint32Array.from(
    { length: endpoints.length },
    (_, i) => endpoints[i] ?? NO_ENDPOINT,
  );
  if (!runtime().native.groupServe(start.ringpollGroup, start.thread, taken)) {
    throw systemError(ENOMEM, SYSCALL_NONE);
  }
  send({
    kind: 'ready',
    addresses: servers.map(({ address }) => address),
    threadId: runtime().native.threadId(),
  });
}

async function stop(timeout: number | undefined): Promise<void> {
  const options = timeout === undefined ? {} : { timeout };
  // Who is on the way here comes first, and is ended as all others are.
  runtime().native.groupLeave();
  await Promise.all(servers.map((server) => server.stop(options)));
  send({ kind: 'stopped' });
  // Nothing of ours keeps the thread from now on.
  parentPort?.unref();
}

function answer(id: number, what: 'metrics' | 'explain'): void {
  const loop = Loop.current();
  send({ kind: 'answer', id, value: what === 'metrics' ? loop.metrics() : loop.explain() });
}

parentPort?.on('message', (message: ToThread | null | undefined) => {
  switch (message?.kind) {
    case 'listening':
    case 'refused':
      listening.get(message.index)?.(message);
      break;
    case 'ask':
      answer(message.id, message.what);
      break;
    case 'publish':
      for (const server of servers) {
        if (!('publish' in server)) continue;
        const { compress } = message;
        server.publish(message.topic, message.data, compress === undefined ? {} : { compress });
      }
      break;
    case 'stop':
      void stop(message.timeout);
      break;
  }
});

begin().catch((thrown: unknown) => {
  send({ kind: 'failed', told: tell(asError(thrown)) });
  for (const server of servers) server.destroy();
  parentPort?.unref();
  process.exitCode = 1;
});
