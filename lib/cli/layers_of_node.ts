// Loaded into a program on node:http: what its layers cost, as far as JavaScript can see them. The
// calls that the parser makes, the handlers and the calls that send are timed. All else that the
// thread does, which is libuv, the receiving and the parser, is what is left of its time.
import type { Socket } from 'node:net';
import { costsOf, type Laps, type LayerCosts } from '../admin/layer_costs.js';
import { aroundEvents, reportTo } from './layers_side.js';

const NS_PER_MS = 1e6;
const CLOCK_TRIES = 1000;

type Layer = 'loop' | 'dispatch' | 'handler' | 'write';
type Callable = (...given: unknown[]) => unknown;
type Bag = Record<PropertyKey, unknown>;

/** Calls of the parser into JavaScript: names of the numbers that it has them under. */
const PARSER_CALLS = [
  ...['kOnMessageBegin', 'kOnHeaders', 'kOnHeadersComplete', 'kOnBody', 'kOnMessageComplete'],
  'kOnExecute',
];
const SENDING = [
  ...['writeBuffer', 'writev', 'writeUtf8String', 'writeLatin1String', 'writeAsciiString'],
  'writeUcs2String',
];

const nowNs = () => performance.now() * NS_PER_MS;
const activeNs = () => performance.eventLoopUtilization().active * NS_PER_MS;

class NodeClock {
  readonly sums: Record<Layer, Laps> = {
    loop: { layer: 'loop', ns: 0, laps: 0 },
    dispatch: { layer: 'dispatch', ns: 0, laps: 0 },
    handler: { layer: 'handler', ns: 0, laps: 0 },
    write: { layer: 'write', ns: 0, laps: 0 },
  };
  requests = 0;
  readonly #activeNs = activeNs();
  #at: Layer = 'loop';
  #mark = nowNs();

  /** Answers which layer was at work. */
  enter(layer: Layer): Layer {
    const now = nowNs();
    const before = this.#at;
    const sum = this.sums[before];
    sum.ns += now - this.#mark;
    sum.laps++;
    this.#at = layer;
    this.#mark = now;
    return before;
  }

  around<Result>(layer: Layer, work: () => Result): Result {
    const before = this.enter(layer);
    try {
      return work();
    } finally {
      this.enter(before);
    }
  }

  costs(): LayerCosts {
    const wholeNs = activeNs() - this.#activeNs;
    const { loop, dispatch, handler, write } = this.sums;
    // Waits fall into what lies between calls: it is what is left of the time without them.
    loop.ns = Math.max(0, wholeNs - dispatch.ns - handler.ns - write.ns);
    return costsOf([loop, dispatch, handler, write], this.requests, wholeNs, clockCost());
  }
}

/** Nanoseconds of one look, by many. */
function clockCost(): number {
  const from = nowNs();
  for (let i = 1; i < CLOCK_TRIES; i++) nowNs();
  return (nowNs() - from) / CLOCK_TRIES;
}

/** undefined: nobody measures. */
let clock: NodeClock | undefined;
const timed = new WeakSet<object>();

/** Puts the layer around a method, whose `this` and arguments stay. */
function time(of: Bag, name: PropertyKey, layer: Layer): void {
  const method = of[name];
  if (typeof method !== 'function' || timed.has(method)) return;
  const around = function (this: unknown, ...given: unknown[]) {
    if (clock === undefined) return Reflect.apply(method as Callable, this, given);
    return clock.around(layer, () => Reflect.apply(method as Callable, this, given));
  };
  timed.add(around);
  of[name] = around;
}

function watchConnection({ parser, _handle }: Socket & { parser?: Bag; _handle?: object }): void {
  if (parser != null) {
    // A parser is used again: some of its functions are set once, some for each connection.
    const numbers = parser.constructor as unknown as Record<string, number>;
    for (const call of PARSER_CALLS) time(parser, numbers[call], 'dispatch');
  }
  let streams = _handle === undefined ? undefined : Object.getPrototypeOf(_handle);
  while (streams != null && !Object.hasOwn(streams, 'writev')) {
    streams = Object.getPrototypeOf(streams);
  }
  if (streams != null) for (const name of SENDING) time(streams, name, 'write');
}

aroundEvents({
  isMeasuring: () => clock !== undefined,
  request(tell) {
    const measuring = clock as NodeClock;
    measuring.requests++;
    return measuring.around('handler', tell);
  },
  connection: watchConnection,
});

reportTo(process, {
  begin() {
    clock = new NodeClock();
  },
  end() {
    const costs = (clock as NodeClock).costs();
    clock = undefined;
    return costs;
  },
});
