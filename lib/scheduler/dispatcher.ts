// Three levels of work, each with its own priority:
//
//   connection   bytes ─▶ frames          lane.receive()
//   request      frame ─▶ handler         lane.submit(), by bizCode
//   business     handler(request) ─▶ reply
//
// Under load the levels nearer to the wire go first (they are short, and they keep order and
// answer with refusals), and the lanes take turns within each level.
//
// While nobody waits there are no turns to take: a direct lane then goes through all levels within
// receive(), without a task, and queues up as soon as anybody is ready before it.
import { invalidArgType, invalidArgValue, RingpollError } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import type { SpawnedTask } from './handle.js';
import { above0, integerIn, timeoutOf } from './options.js';
import { type Decode, DispatchRequest, type Frame } from './request.js';
import type { HybridScheduler } from './scheduler.js';
import type { TaskContext } from './types.js';

/** Serves the requests of one code. What it returns (or resolves with) goes to `reply`. */
export type Handler<P> = (request: DispatchRequest<P>, context: TaskContext) => unknown;

export interface HandlerOptions<P> {
  /** Turns the payload into what the handler wants, when it asks for it. Default: as it came. */
  decode?: Decode<P>;
  /** Milliseconds that the handler may take, above 0. Default none. */
  timeout?: number;
  /** @deprecated Its name is `timeout`. */
  deadline?: number;
  /** It needs no context, so a direct lane may call it without a task. Default false. */
  direct?: boolean;
}

export interface LaneOptions {
  /** Receives the result of each request, in the order in which they are done. */
  reply(request: DispatchRequest, result: unknown): void;
  /** Receives the error of a request that failed, was refused, or took longer than its timeout. */
  fail(request: DispatchRequest, error: unknown): void;
  /** Finds the frames in received bytes. Needed for `receive()` only. */
  parse?: (bytes: Uint8Array) => Iterable<Frame>;
  /** Receives what the parser, `reply` or `fail` throw. Default: the lane closes. */
  error?: (error: unknown) => void;
  /** Requests under way at most, from 1; more are refused. Default no limit. */
  maxPending?: number;
  /**
   * `receive()` goes on to the handlers at once when no task is ready or running and none of the
   * lane's requests is pending. Else it copies the bytes. Default false: always a little later.
   */
  direct?: boolean;
}

const HANDLER_OPTIONS = optionNames<HandlerOptions<unknown>>(
  'handle()',
  { decode: true, timeout: true, deadline: true, direct: true },
  {},
  { deadline: 'timeout' },
);
const LANE_OPTIONS = optionNames<LaneOptions>('open()', {
  reply: true,
  fail: true,
  parse: true,
  error: true,
  maxPending: true,
  direct: true,
});

interface Route {
  handler: Handler<unknown>;
  decode: Decode<unknown> | undefined;
  timeout: number | undefined;
  direct: boolean;
}

/** Knows the handlers; connections open a lane each. */
export class Dispatcher {
  readonly scheduler: HybridScheduler;
  readonly #routes = new Map<number | string, Route>();

  constructor(scheduler: HybridScheduler) {
    this.scheduler = scheduler;
  }

  /**
   * Registers the handler of a code.
   * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE, and ERR_RINGPOLL_INVALID_ARG_VALUE for a code
   * that has a handler already (1 and '1' are two codes), RangeError ERR_RINGPOLL_OUT_OF_RANGE
   */
  handle<P = unknown>(
    bizCode: number | string,
    handler: Handler<P>,
    options: HandlerOptions<P> = {},
  ): this {
    if (typeof handler !== 'function') throw invalidArgType('handler', 'a function', handler);
    if (this.#routes.has(bizCode)) {
      throw invalidArgValue('bizCode', 'without a handler so far', bizCode);
    }
    if (typeof bizCode !== 'number' && typeof bizCode !== 'string') {
      throw invalidArgType('bizCode', 'a number or a string', bizCode);
    }
    checkOptions(HANDLER_OPTIONS, options);
    const { decode, direct = false } = options;
    const timeout = timeoutOf('handle()', options);
    if (decode !== undefined && typeof decode !== 'function') {
      throw invalidArgType('options.decode', 'a function', decode);
    }
    if (timeout !== undefined) above0('options.timeout', timeout);
    this.#routes.set(bizCode, { handler: handler as Handler<unknown>, decode, timeout, direct });
    return this;
  }

  /** Opens the lane of a connection; `key` tells it apart from the others. */
  open(key: unknown, options: LaneOptions): Lane {
    return new Lane(this.scheduler, key, options, (bizCode) => this.#routes.get(bizCode));
  }
}

function takesLonger(result: unknown): boolean {
  if (typeof result !== 'object' || result === null) return false;
  if (result instanceof Promise) return true;
  const { then, next } = result as { then?: unknown; next?: unknown };
  return typeof then === 'function' || (typeof next === 'function' && Symbol.iterator in result);
}

/** The requests of one connection. */
export class Lane {
  readonly key: unknown;
  readonly #scheduler: HybridScheduler;
  readonly #options: LaneOptions;
  readonly #maxPending: number;
  readonly #routeOf: (bizCode: number | string) => Route | undefined;
  readonly #running = new Set<SpawnedTask<unknown>>();
  #pending = 0;
  #closed = false;

  constructor(
    scheduler: HybridScheduler,
    key: unknown,
    options: LaneOptions,
    routeOf: (bizCode: number | string) => Route | undefined,
  ) {
    if (typeof options?.reply !== 'function' || typeof options.fail !== 'function') {
      throw invalidArgType('options', 'an object with functions reply and fail', options);
    }
    checkOptions(LANE_OPTIONS, options);
    const maxPending = options.maxPending ?? Number.POSITIVE_INFINITY;
    this.#maxPending = integerIn('options.maxPending', maxPending, 1, Number.POSITIVE_INFINITY);
    this.#scheduler = scheduler;
    this.key = key;
    this.#options = options;
    this.#routeOf = routeOf;
  }

  /** Requests that were submitted and not answered yet. */
  get pending(): number {
    return this.#pending;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Bytes came. They are parsed at the level of connections, a little later: a chunk that is only
   * valid until the handler returns has to be retained or copied, unless the lane is direct.
   */
  receive(bytes: Uint8Array): void {
    const { parse, direct } = this.#options;
    if (parse === undefined) throw invalidArgType('options.parse', 'a function', parse);
    if (this.#closed) return;
    if (direct !== true) {
      this.#read(parse, bytes);
      return;
    }
    // The reply to an earlier request may be on its way still, and must not be overtaken.
    const alone = this.#pending === 0;
    if (alone && this.#scheduler.pass('connection', this.#readNow, bytes)) return;
    this.#read(parse, Buffer.from(bytes));
  }

  #read(parse: (bytes: Uint8Array) => Iterable<Frame>, bytes: Uint8Array): void {
    this.#run('connection', () => {
      for (const frame of parse(bytes)) this.submit(frame);
    });
  }

  readonly #readNow = (bytes: Uint8Array) => {
    try {
      for (const frame of this.#options.parse?.(bytes) ?? []) {
        if (this.#scheduler.passOvertakes) this.submit(frame);
        else if (!this.#closed) this.#submitNow(frame);
      }
    } catch (error) {
      this.#failed(error);
    }
  };

  #submitNow(frame: Frame): void {
    const route = this.#routeOf(frame.bizCode);
    if (route?.direct !== true || this.#pending >= this.#maxPending) {
      this.submit(frame);
      return;
    }
    this.#pending++;
    const request = new DispatchRequest(frame, route.decode);
    let result: unknown;
    let longer: boolean;
    try {
      result = (route.handler as (request: DispatchRequest) => unknown)(request);
      longer = takesLonger(result);
    } catch (error) {
      this.#answered(() => this.#options.fail(request, error));
      return;
    }
    // A promise, a generator: whatever takes more than this call is a task.
    if (longer) this.#await(request, () => result, route.timeout);
    else this.#answered(() => this.#options.reply(request, result));
  }

  /** A frame is complete: it finds its handler at the level of requests. */
  submit(frame: Frame): void {
    if (this.#closed) return;
    this.#pending++;
    const full = this.#pending > this.#maxPending;
    this.#run('request', () => {
      const route = this.#routeOf(frame.bizCode);
      const request = new DispatchRequest(frame, route?.decode);
      if (full) this.#refuse(request, 'ERR_RINGPOLL_OVERLOADED', 'Too many requests are under way');
      else if (route !== undefined) this.#serve(request, route);
      else this.#refuse(request, 'ERR_RINGPOLL_UNKNOWN_CODE', `No handler for ${frame.bizCode}`);
    });
  }

  /** Cancels what is under way: nothing is replied any more. */
  close(reason?: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#pending = 0;
    for (const task of this.#running) task.cancel(reason);
    this.#running.clear();
  }

  #run(level: 'connection' | 'request', work: () => void): void {
    const task = this.#scheduler.run(
      () => {
        if (!this.#closed) work();
      },
      { class: level, key: this.key },
    );
    task.catch((error: unknown) => this.#failed(error));
  }

  #serve(request: DispatchRequest, { handler, timeout }: Route): void {
    this.#await(request, (context) => handler(request, context), timeout);
  }

  #await(
    request: DispatchRequest,
    body: (context: TaskContext) => unknown,
    timeout: number | undefined,
  ): void {
    const task = this.#scheduler.spawn(body, {
      class: 'business',
      key: this.key,
      name: `handler of ${request.bizCode}`,
      timeout,
    }) as SpawnedTask<unknown>;
    this.#running.add(task);
    task.promise.then(
      (result) => this.#answer(task, () => this.#options.reply(request, result)),
      (error) => this.#answer(task, () => this.#options.fail(request, error)),
    );
  }

  #refuse(
    request: DispatchRequest,
    code: 'ERR_RINGPOLL_OVERLOADED' | 'ERR_RINGPOLL_UNKNOWN_CODE',
    message: string,
  ): void {
    this.#pending--;
    this.#options.fail(request, new RingpollError(code, message));
  }

  #answer(task: SpawnedTask<unknown>, send: () => void): void {
    this.#running.delete(task);
    this.#answered(send);
  }

  #answered(send: () => void): void {
    if (this.#closed) return;
    this.#pending--;
    try {
      send();
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    if (this.#closed) return;
    if (this.#options.error !== undefined) this.#options.error(error);
    else this.close(error);
  }
}
