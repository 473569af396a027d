// Three levels of work, each with its own priority:
//
//   connection   bytes ─▶ frames          lane.receive()
//   request      frame ─▶ handler         lane.submit(), by bizCode
//   business     handler(request) ─▶ reply
//
// Under load the levels nearer to the wire go first (they are short, and they keep order and
// answer with refusals), and the lanes take turns within each level.
import { invalidArgType, invalidArgValue, RingpollError } from '../errors.js';
import type { SpawnedTask } from './handle.js';
import { integerIn } from './options.js';
import { type Decode, DispatchRequest, type Frame } from './request.js';
import type { HybridScheduler } from './scheduler.js';
import type { TaskContext } from './types.js';

/** Serves the requests of one code. What it returns (or resolves with) goes to `reply`. */
export type Handler<P> = (request: DispatchRequest<P>, context: TaskContext) => unknown;

export interface HandlerOptions<P> {
  /** Turns the payload into what the handler wants, when it asks for it. Default: as it came. */
  decode?: Decode<P>;
  /** Milliseconds that the handler may take, above 0. Default none. */
  deadline?: number;
}

export interface LaneOptions {
  /** Receives the result of each request, in the order in which they are done. */
  reply(request: DispatchRequest, result: unknown): void;
  /** Receives the error of a request that failed, was refused, or ran into its deadline. */
  fail(request: DispatchRequest, error: unknown): void;
  /** Finds the frames in received bytes. Needed for `receive()` only. */
  parse?: (bytes: Uint8Array) => Iterable<Frame>;
  /** Receives what the parser, `reply` or `fail` throw. Default: the lane closes. */
  error?: (error: unknown) => void;
  /** Requests under way at most, from 1; more are refused. Default no limit. */
  maxPending?: number;
}

interface Route {
  handler: Handler<unknown>;
  decode: Decode<unknown> | undefined;
  deadline: number | undefined;
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
   * that has a handler already
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
    const { decode, deadline } = options;
    this.#routes.set(bizCode, { handler: handler as Handler<unknown>, decode, deadline });
    return this;
  }

  /** Opens the lane of a connection; `key` tells it apart from the others. */
  open(key: unknown, options: LaneOptions): Lane {
    return new Lane(this.scheduler, key, options, (bizCode) => this.#routes.get(bizCode));
  }
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
   * valid until the handler returns has to be retained or copied.
   */
  receive(bytes: Uint8Array): void {
    const { parse } = this.#options;
    if (parse === undefined) throw invalidArgType('options.parse', 'a function', parse);
    if (this.#closed) return;
    const read = () => {
      for (const frame of parse(bytes)) this.submit(frame);
    };
    this.#run('connection', read);
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

  #serve(request: DispatchRequest, { handler, deadline }: Route): void {
    const task = this.#scheduler.spawn((context) => handler(request, context), {
      class: 'business',
      key: this.key,
      name: `handler of ${request.bizCode}`,
      deadline,
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
