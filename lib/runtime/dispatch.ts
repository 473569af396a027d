// One call per turn: walks the events that native code has written. Each wing has a sink for its
// own kinds; this file knows none of them.
import { beginDelivery, endDelivery } from './delivery_time.js';
import { Control, RECORD_WORDS } from './protocol.js';
import { ticks, uncaught } from './ticks.js';

/** What a walk needs of the runtime. */
export interface Events {
  readonly control: Int32Array;
  readonly events: Int32Array;
}

/** Takes the events of one wing. */
export interface EventSink {
  /** `at` is the record's place in the event ring, which is `events`. */
  event(kind: number, at: number, events: Int32Array): void;
  /** Not a handler has thrown, for these are watched, but what stands between. */
  broken?(at: number, error: unknown): void;
  /** When the events of a turn have been walked: for what gathers over several of them. */
  afterEvents?(): void;
  /** Events of this kind that one connection gets in a row are one delivery. */
  readonly batched?: number;
}

/** The first kind of each wing. Kinds are given in sixteens; see native/core's shared_rings.h. */
export const enum Wing {
  streams = 0,
  http = 16,
  files = 32,
  datagrams = 48,
  tls = 64,
  websocket = 80,
  client = 96,
}
const WING_BITS = 4;

/** So many events of a batched kind are delivered before what their handlers have queued runs. */
const TOGETHER_MAX = 16;

/** What a walk looks at for each event: of one shape, whatever the sinks are. */
class Registered {
  readonly sink: EventSink;
  readonly event: EventSink['event'];
  readonly batched: number;

  constructor(sink: EventSink) {
    this.sink = sink;
    this.event = (kind, at, events) => sink.event(kind, at, events);
    this.batched = sink.batched ?? -1;
  }
}

const nobody = new Registered({ event() {} });
const WINGS_MAX = 7;
// Full from the start: another copy of the package in this thread may have a wing that this one has
// not loaded, and both walk the events of every turn.
const wings: Registered[] = new Array<Registered>(WINGS_MAX).fill(nobody);

/** From here on `sink` takes the kinds from `wing` to `wing` + 15. Once for each wing. */
export function registerSink(wing: Wing, sink: EventSink): void {
  wings[wing >> WING_BITS] = new Registered(sink);
}

// All handlers of a turn run in one callback, and so with one execution resource. What one of them
// enters into it (AsyncLocalStorage.enterWith) must not be there for the next.
let entered = false;
const stores: Record<PropertyKey, unknown> = {};
export const turnResource = new Proxy(stores, {
  set(target, key, value) {
    entered = true;
    target[key as string] = value;
    return true;
  },
});

function leaveStores(): void {
  entered = false;
  for (const key of Reflect.ownKeys(stores)) delete stores[key as string];
}

/** Where the walk over the events of this turn is; for whoever goes on behind a throw. */
let walkedTo = 0;

export function walkEvents(loop: Events): void {
  beginDelivery();
  try {
    walkAll(loop);
  } finally {
    endDelivery();
  }
}

/** No throw ends the walk: the rest of the events belongs to others. */
function walkAll(loop: Events): void {
  if (entered) leaveStores();
  const end = loop.control[Control.eventCount] * RECORD_WORDS;
  for (let from = 0; from < end; from = walkedTo + RECORD_WORDS) {
    try {
      walk(loop.events, from, end);
    } catch (error) {
      const { sink } = wings[loop.events[walkedTo] >> WING_BITS];
      if (sink.broken === undefined) uncaught(error);
      else sink.broken(walkedTo, error);
      leaveStores();
    }
  }
  for (const { sink } of wings) {
    if (sink.afterEvents === undefined) continue;
    try {
      sink.afterEvents();
    } catch (error) {
      uncaught(error);
    }
  }
}

/** The events of this turn that are still to be walked, of one channel and of one kind. */
export function* eventsAhead(
  loop: Events,
  kind: number,
  slot: number,
  generation: number,
): Generator<number> {
  const end = loop.control[Control.eventCount] * RECORD_WORDS;
  const { events } = loop;
  for (let at = walkedTo + RECORD_WORDS; at < end; at += RECORD_WORDS) {
    if (events[at] === kind && events[at + 1] === slot && events[at + 2] === generation) yield at;
  }
}

function walk(events: Int32Array, from: number, end: number): void {
  let together = 1;
  let wing = -1;
  let { event, batched } = nobody;
  for (let at = from; at < end; at += RECORD_WORDS) {
    walkedTo = at;
    const kind = events[at];
    if (kind >> WING_BITS !== wing) {
      wing = kind >> WING_BITS;
      ({ event, batched } = wings[wing]);
    }
    event(kind, at, events);
    const next = at + RECORD_WORDS;
    if (next < end) {
      const goesOn =
        kind === batched && events[next] === kind && events[next + 1] === events[at + 1];
      together = goesOn ? together + 1 : 1;
      if (together % TOGETHER_MAX === 1) ticks();
    }
    if (entered) leaveStores();
  }
}
