// startTracing(): spans of OpenTelemetry for what this thread serves and asks for.
import {
  type ClientRequestEvent,
  requestEnd,
  requestError,
  requestStart,
} from '../client/diagnostics.js';
import { asError, RingpollError } from '../errors.js';
import { type RequestObserver, setRequestObserver } from '../http/diagnostics.js';
import { VERSION } from '../runtime/version.js';
import { ClientSpans } from './client_spans.js';
import { ensureContextManager } from './context_manager.js';
import { type CheckedTracing, checkTracing, type TracingOptions } from './options.js';
import { ServerSpans } from './server_spans.js';

const NAME = 'ringpoll';
let running: Tracing | undefined;

const runAsIs = (run: () => void): void => run();

export class Tracing {
  #errors = 0;
  readonly #undo: (() => void)[] = [];

  /** @internal */
  constructor(checked: CheckedTracing) {
    ensureContextManager(checked.api);
    const tracer = checked.api.trace.getTracer(NAME, VERSION);
    if (checked.server) this.#serve(new ServerSpans(checked, tracer));
    if (checked.client) this.#ask(new ClientSpans(checked, tracer));
  }

  /** Times that the API, or a function of the options, has thrown: a span is missing. */
  get errors(): number {
    return this.#errors;
  }

  /** Makes no more spans. Those that are open stay so. */
  stop(): void {
    for (const undo of this.#undo.splice(0)) undo();
    if (running === this) running = undefined;
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #serve(spans: ServerSpans): void {
    const observer: RequestObserver = {
      start: (event) => this.#safely(() => spans.start(event)) ?? runAsIs,
      end: (event) => this.#safely(() => spans.end(event)),
      failed: (error, request) => this.#safely(() => spans.failed(error, request)),
    };
    setRequestObserver(observer);
    this.#undo.push(() => setRequestObserver(undefined));
  }

  #ask(spans: ClientSpans): void {
    const subscribe = (to: typeof requestStart, hear: (event: ClientRequestEvent) => void) => {
      const listener = (message: unknown) =>
        this.#safely(() => hear(message as ClientRequestEvent));
      to.subscribe(listener);
      this.#undo.push(() => to.unsubscribe(listener));
    };
    subscribe(requestStart, (event) => spans.start(event));
    subscribe(requestEnd, (event) => spans.end(event));
    subscribe(requestError, (event) => spans.failed(event));
  }

  /** What watches a request must not break it: the first error becomes a warning of the process. */
  #safely<Result>(run: () => Result): Result | undefined {
    try {
      return run();
    } catch (error) {
      if (this.#errors++ === 0) process.emitWarning(asError(error));
      return undefined;
    }
  }
}

/**
 * Makes spans for requests of serve() and of ringpoll/client in this thread, until stop(). Call it
 * after the SDK has started. When no context manager is set, one over AsyncLocalStorage is.
 * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE, _UNKNOWN_OPTION
 * @throws RingpollError ERR_RINGPOLL_TRACING_UNAVAILABLE, ERR_RINGPOLL_TRACING_RUNNING
 */
export function startTracing(options: TracingOptions = {}): Tracing {
  const checked = checkTracing(options);
  if (running !== undefined) {
    throw new RingpollError(
      'ERR_RINGPOLL_TRACING_RUNNING',
      'Tracing has been started in this thread: stop() it first',
    );
  }
  running = new Tracing(checked);
  return running;
}
