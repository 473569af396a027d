// All metrics in the text form of Prometheus. Their names are listed in docs/observability.md.
import type { Histogram } from '../histogram.js';
import type { ObservedServer } from '../http/observed.js';
import type { RequestCount, RequestMeter } from '../http/request_meter.js';
import { Loop } from '../loop/loop.js';
import { VERSION } from '../runtime/version.js';
import { type Census, census } from './connections.js';
import { Exposition, type Labels } from './exposition.js';
import { type LockWaits, lockWaits } from './lock_waits.js';
import { nameOf, type Observer } from './observer.js';
import { Pieces } from './pieces.js';
import type { ThreadMetrics } from './threads.js';

const REQUESTS = 'http_requests_total';
const DURATIONS = 'http_request_duration_seconds';
/** What the next one may have more than the last. */
const ROOM = 1.1;
const NS_PER_S = 1e9;
const US_PER_S = 1e6;
const MS_PER_S = 1e3;
/** Of Loop.metrics(): how it is now, and not how often something was. */
const LEVELS = new Set([
  ...['live', 'connections', 'ringQueued', 'ringCompleted'],
  ...['arenaOutstanding', 'arenaPeak', 'arenaSlabs'],
]);
const OLD_NAMES = new Set(['epollWaits']);

const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const families = new Map<string, string>();

/** The name of a counter or level of Loop.metrics(). */
export function loopFamily(name: string): string {
  let family = families.get(name);
  if (family === undefined) {
    family = `ringpoll_${snake(name)}${LEVELS.has(name) ? '' : '_total'}`;
    families.set(name, family);
  }
  return family;
}

/** Answers scrapes, in pieces between which others have their turn. */
export class Metrics {
  readonly #observer: Observer;
  readonly #running = new Map<boolean, Promise<Uint8Array>>();
  /** Bytes of the last one. */
  #length = 0;
  /** Of the last scrape. */
  pieces = new Pieces();
  histogramsWritten = 0;

  constructor(observer: Observer) {
    this.#observer = observer;
  }

  /**
   * UTF-8, in the form of OpenMetrics, or the older one of Prometheus. Those who ask at the same
   * time get the same answer. Resolves soon, whatever the threads do.
   */
  scrape(open = false): Promise<Uint8Array> {
    let running = this.#running.get(open);
    if (running === undefined) {
      running = this.#scrape(open).finally(() => this.#running.delete(open));
      this.#running.set(open, running);
    }
    return running;
  }

  async #scrape(open: boolean): Promise<Uint8Array> {
    const observer = this.#observer;
    await observer.threads.refresh();
    const pieces = new Pieces();
    const text = new Exposition(open, this.#length * ROOM);
    const loop = Loop.current();
    const info = { version: VERSION, engine: loop.engine, node: process.version };
    text.gauge('ringpoll_info', 'What runs: always 1.', [[info, 1]]);
    addConnections(text, await census(pieces), observer.servers());
    await pieces.pause();
    await addRequests(text, observer.servers(), pieces);
    for (const add of [
      addTurns,
      addAlarms,
      addLoop,
      addScheduler,
      addThreads,
      addLocks,
      addProcess,
    ]) {
      if (pieces.late) await pieces.pause();
      add(text, observer);
    }
    addScrapes(text, this.pieces);
    const whole = text.toBytes();
    this.#length = whole.length;
    pieces.end();
    this.pieces = pieces;
    this.histogramsWritten = text.histogramsWritten;
    return whole;
  }
}

function addScrapes(text: Exposition, { ms, longestMs }: Pieces): void {
  const all = 'Time of the thread that the scrape before took.';
  text.gauge('ringpoll_scrape_seconds', all, ms / MS_PER_S);
  const longest = 'The longest piece of it: so long did others wait.';
  text.gauge('ringpoll_scrape_longest_piece_seconds', longest, longestMs / MS_PER_S);
}

async function addRequests(
  text: Exposition,
  servers: readonly ObservedServer[],
  pieces: Pieces,
): Promise<void> {
  const measured = servers.flatMap((server) => {
    const { _meter: meter } = server;
    return meter === undefined ? [] : [{ meter, server: nameOf(server) }];
  });
  text.counter(REQUESTS, 'Requests that were answered.', []);
  for (const { meter, server } of measured) {
    for (const { counts } of meter.routes()) {
      if (pieces.late) await pieces.pause();
      for (const each of counts) {
        text.moreOfCounter(REQUESTS, each, () => labelsOf(server, each), each.count);
      }
    }
  }
  text.histogram(DURATIONS, 'From the bytes of a request to its answer.', []);
  for (const { meter, server } of measured) {
    for (const { route, durations, exemplars } of meter.routes()) {
      if (pieces.late) await pieces.pause();
      if (durations.count === 0) continue;
      text.moreOfHistogram(DURATIONS, { server, route }, durations, exemplars);
    }
  }
  const ofMeters = (value: (meter: RequestMeter) => number): [Labels, number][] =>
    measured.map(({ server, meter }) => [{ server }, value(meter)]);
  const waiting = ofMeters((meter) => meter.waiting);
  text.gauge('ringpoll_http_requests_waiting', 'Requests that outlast their turn.', waiting);
  const gone = 'Requests whose peers went away before the answer.';
  const aborted = ofMeters((meter) => meter.aborted);
  text.counter('ringpoll_http_requests_aborted_total', gone, aborted);
  const errors = measured.flatMap(({ server, meter }) =>
    Array.from(meter.errors, ([code, count]): [Labels, number] => [{ server, code }, count]),
  );
  const failed = 'Errors of handlers, and requests that were refused.';
  text.counter('ringpoll_http_errors_total', failed, errors);
}

function labelsOf(server: string, { route, method, status }: RequestCount): Labels {
  return { server, route, method, code: status };
}

function addConnections(
  text: Exposition,
  counts: Census,
  servers: readonly ObservedServer[],
): void {
  const states = Object.entries(counts).map(([state, count]): [Labels, number] => [
    { state },
    count,
  ]);
  text.gauge('ringpoll_connections_by_state', 'Connections of this thread.', states);
  const open = servers.map((server): [Labels, number] => [
    { server: nameOf(server) },
    server.connections,
  ]);
  text.gauge('ringpoll_server_connections', 'Open connections of each HTTP server.', open);
}

function addTurns(text: Exposition, { turns }: Observer): void {
  const { turns: count, events, ...phases } = turns.sums();
  const samples = Object.entries(phases).map(([phase, ns]): [Labels, number] => [
    { phase: phase === 'walked' ? 'javascript' : phase },
    ns / NS_PER_S,
  ]);
  text.counter('ringpoll_loop_seconds_total', 'What the thread did with its time.', samples);
  text.counter('ringpoll_measured_turns_total', 'Turns that were measured.', count);
  text.counter('ringpoll_measured_events_total', 'Events of these turns.', events);
  const busy = 'From one wait of the loop to the next: so late may an event be.';
  text.histogram('ringpoll_loop_busy_seconds', busy, [[{}, turns.busy()]]);
  const delay = 'From the end of a wait to JavaScript, for each event.';
  text.histogram('ringpoll_event_delay_seconds', delay, [[{}, turns.delays()]]);
}

function addAlarms(text: Exposition, { alarms }: Observer): void {
  if (alarms === undefined) return;
  const counts = Object.entries(alarms.counts).map(([alarm, count]): [Labels, number] => [
    { alarm },
    count,
  ]);
  text.counter('ringpoll_alarms_total', 'Intervals in which a limit was passed.', counts);
}

function addLoop(text: Exposition): void {
  const loop = Loop.current();
  const metrics = loop.metrics();
  for (const [name, value] of Object.entries(metrics)) {
    if (OLD_NAMES.has(name) || typeof value !== 'number') continue;
    const help = `${name} of Loop.metrics().`;
    if (LEVELS.has(name)) text.gauge(loopFamily(name), help, value);
    else text.counter(loopFamily(name), help, value);
  }
  const { receive, send, open, file } = loop.explain();
  const ways: [Labels, number][] = [];
  for (const [route, { receives }] of Object.entries(receive.routes)) {
    ways.push([{ operation: 'receive', way: route }, receives]);
  }
  for (const [operation, kind] of Object.entries({ send, open, file })) {
    for (const [way, count] of Object.entries(kind.ways)) ways.push([{ operation, way }, count]);
  }
  const help = 'Operations, by the engine or route that did them.';
  text.counter('ringpoll_operations_total', help, ways);
}

function addScheduler(text: Exposition, { scheduler }: Observer): void {
  if (scheduler === undefined) return;
  const { states, classes, overruns, starvations, longestStepMs } = scheduler.metrics();
  const byState = Object.entries(states).map(([state, count]): [Labels, number] => [
    { state },
    count,
  ]);
  text.gauge('ringpoll_tasks', 'Tasks alive, by state.', byState);
  const of = (value: (each: (typeof classes)['request']) => number): [Labels, number][] =>
    Object.entries(classes).map(([name, each]) => [{ class: name }, value(each)]);
  const ready = of((each) => each.ready);
  text.gauge('ringpoll_tasks_ready', 'Tasks that wait for their turn.', ready);
  const weights = of((each) => each.weight);
  text.gauge('ringpoll_task_class_weight', 'Weight of each class now.', weights);
  const turns = of((each) => each.turns);
  text.counter('ringpoll_task_turns_total', 'Turns that tasks had.', turns);
  const ran = of((each) => each.ranMs / MS_PER_S);
  text.counter('ringpoll_task_seconds_total', 'How long tasks ran.', ran);
  for (const end of ['started', 'completed', 'failed', 'cancelled'] as const) {
    const samples = of((each) => each[end]);
    text.counter(`ringpoll_tasks_${end}_total`, `Tasks that were ${end}.`, samples);
  }
  text.counter('ringpoll_task_overruns_total', 'Steps that were longer than a slice.', overruns);
  text.counter('ringpoll_task_starvations_total', 'Times that a class starved.', starvations);
  const longest = 'The longest step of a task.';
  text.gauge('ringpoll_task_longest_step_seconds', longest, longestStepMs / MS_PER_S);
}

function addThreads(text: Exposition, { threads }: Observer): void {
  const all = threads.latest;
  if (all.length === 0) return;
  const of = (value: (each: ThreadMetrics) => number | undefined): [Labels, number][] =>
    all.map((each) => [{ thread: each.thread }, value(each) ?? 0]);
  const counter = (name: string, help: string, from: string) =>
    text.counter(
      `ringpoll_thread_${name}_total`,
      help,
      of(({ loop }) => loop?.[from]),
    );
  const connections = of((each) => each.connections);
  text.gauge('ringpoll_thread_connections', 'Open connections of each thread.', connections);
  const ages = of(({ turnAge }) => turnAge / MS_PER_S);
  text.gauge('ringpoll_thread_turn_age_seconds', 'How long its turn has gone on.', ages);
  counter('http_requests', 'Requests of each thread.', 'httpRequests');
  counter('turns', 'Turns of each thread.', 'turns');
  counter('bytes_read', 'Bytes that each thread has received.', 'bytesRead');
  counter('bytes_written', 'Bytes that each thread has sent.', 'bytesWritten');
  const cpu = of(({ user = 0, system = 0 }) => (user + system) / MS_PER_S);
  text.counter('ringpoll_thread_cpu_seconds_total', 'CPU time of each thread.', cpu);
  const moves = of(({ migrations }) => migrations);
  text.counter('ringpoll_thread_migrations_total', 'Moves to another processor.', moves);
  const lost = of(({ involuntarySwitches }) => involuntarySwitches);
  const help = 'Times that the kernel took the processor away.';
  text.counter('ringpoll_thread_involuntary_switches_total', help, lost);
}

function addLocks(text: Exposition): void {
  const waits = lockWaits();
  const of = (value: (each: LockWaits) => number): [Labels, number][] =>
    waits.map((each) => [{ lock: each.lock }, value(each)]);
  const counts = of(({ count }) => count);
  text.counter('ringpoll_lock_waits_total', 'Waits for a mutex that threads share.', counts);
  const seconds = of(({ ns }) => ns / NS_PER_S);
  text.counter('ringpoll_lock_wait_seconds_total', 'How long these waits were.', seconds);
}

function addProcess(text: Exposition, { pauses }: Observer): void {
  const kinds = [...pauses.durations].map(([kind, values]): [Labels, Histogram] => [
    { kind },
    values,
  ]);
  text.histogram('nodejs_gc_duration_seconds', 'Pauses of the garbage collector.', kinds);
  const { rss, heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
  text.gauge('process_resident_memory_bytes', 'Memory of the process.', rss);
  text.gauge('nodejs_heap_size_used_bytes', 'Used part of the JavaScript heap.', heapUsed);
  text.gauge('nodejs_heap_size_total_bytes', 'Size of the JavaScript heap.', heapTotal);
  text.gauge('nodejs_external_memory_bytes', 'Memory of objects beside the heap.', external);
  text.gauge('nodejs_array_buffers_bytes', 'Memory of buffers.', arrayBuffers);
  const { user, system } = process.cpuUsage();
  const cpu = 'CPU time of the process.';
  text.counter('process_cpu_user_seconds_total', `${cpu} In programs.`, user / US_PER_S);
  text.counter('process_cpu_system_seconds_total', `${cpu} In the kernel.`, system / US_PER_S);
  text.counter('process_cpu_seconds_total', cpu, (user + system) / US_PER_S);
  const start = (performance.timeOrigin / MS_PER_S).toFixed(3);
  text.gauge('process_start_time_seconds', 'When it began, since 1970.', Number(start));
}
