// What happened in some seconds, in the trace event format that Chromium and Perfetto load: turns
// with their parts, pauses of the garbage collector, requests, and steps of tasks.
import type { Observer } from './observer.js';
import { nameOf } from './observer.js';
import { pause } from './profile.js';

/** Turns that are kept: the last ones. */
export const TURNS_MAX = 65_536;
/** Requests and steps of tasks: the first ones. */
const SPANS_MAX = 50_000;
const US_PER_MS = 1000;

const enum Row {
  loop = 1,
  gc = 2,
  tasks = 3,
  requests = 4,
}
const ROWS: Record<number, string> = {
  [Row.loop]: 'loop',
  [Row.gc]: 'garbage collector',
  [Row.tasks]: 'tasks',
  [Row.requests]: 'requests',
};

interface Span {
  row: Row;
  name: string;
  start: number;
  end: number;
  args: Record<string, unknown>;
}

type TraceEvent = Record<string, unknown>;

const common = { pid: process.pid, cat: 'ringpoll' };

function slice(row: Row, name: string, start: number, end: number, args = {}): TraceEvent {
  const ts = start * US_PER_MS;
  return { ...common, ph: 'X', tid: row, name, ts, dur: Math.max(0, end * US_PER_MS - ts), args };
}

/** Requests overlap, so each is a pair of events with a number of its own. */
function pair({ name, start, end, args }: Span, id: number): TraceEvent[] {
  const both = { ...common, tid: Row.requests, name, id };
  return [
    { ...both, ph: 'b', ts: start * US_PER_MS, args },
    { ...both, ph: 'e', ts: end * US_PER_MS },
  ];
}

/** The trace as JSON, of `seconds`, or until `signal` aborts. */
export async function trace(
  observer: Observer,
  seconds: number,
  signal: AbortSignal,
): Promise<string> {
  const { turns, pauses, scheduler } = observer;
  const spans: Span[] = [];
  let forgotten = 0;
  const add = (span: Span) => {
    if (spans.length < SPANS_MAX) spans.push(span);
    else forgotten++;
  };
  const from = performance.now();
  const ring = turns.record(TURNS_MAX);
  const meters = observer.servers().map((server) => ({ meter: server._meter, of: nameOf(server) }));
  for (const { meter, of } of meters) {
    if (meter === undefined) continue;
    meter.watcher = (route, method, status, since) => {
      const start = turns.toMs(since ?? turns.turnStart);
      const args = { server: of, route, method, status };
      const name = `${method} ${route}`;
      add({ row: Row.requests, name, start, end: performance.now(), args });
    };
  }
  scheduler?._watchSteps((name, id, start, ms) => {
    add({ row: Row.tasks, name: `${name} (${id})`, start, end: start + ms, args: {} });
  });
  try {
    await pause(seconds * 1000, signal);
  } finally {
    for (const { meter } of meters) if (meter !== undefined) meter.watcher = undefined;
    scheduler?._watchSteps(undefined);
    ring.stop();
  }
  const events: TraceEvent[] = Object.entries(ROWS).map(([tid, name]) => {
    return { ...common, ph: 'M', name: 'thread_name', tid: Number(tid), args: { name } };
  });
  for (const turn of ring) {
    const { start, ready, walked, end, events: count, waited } = turn;
    events.push(slice(Row.loop, 'turn', start, end, { events: count, waitedMs: waited }));
    if (ready === undefined) continue;
    events.push(slice(Row.loop, 'receive', start, ready));
    events.push(slice(Row.loop, 'JavaScript', ready, walked, { events: count }));
    events.push(slice(Row.loop, 'send', walked, end));
  }
  for (const { start, ms, kind } of pauses.from(from)) {
    events.push(slice(Row.gc, `${kind} collection`, start, start + ms));
  }
  spans.forEach((span, id) => {
    if (span.row === Row.requests) events.push(...pair(span, id));
    else events.push(slice(span.row, span.name, span.start, span.end, span.args));
  });
  const otherData = {
    turns: ring.written,
    turnsForgotten: Math.max(0, ring.written - ring.rows),
    spansForgotten: forgotten,
  };
  return JSON.stringify({ traceEvents: events, displayTimeUnit: 'ms', otherData });
}
