// startTracing(): spans of OpenTelemetry for what this thread serves and asks for.
import {
  type ClientRequestEvent,
  requestEnd,
  requestError,
  requestStart,
} from '../client/diagnostics.js';
import { asError, RingpollError } from '../errors.js';
import {
  type FileOperationEvent,
  operationEnd,
  operationError,
  operationStart,
} from '../fs/diagnostics.js';
import { type RequestObserver, setRequestObserver } from '../http/diagnostics.js';
import { VERSION } from '../runtime/version.js';
import { setTaskObserver } from '../scheduler/diagnostics.js';
import { ClientSpans } from './client_spans.js';
import { ensureContextManager } from './context_manager.js';
import { type CheckedTracing, checkTracing, type TracingOptions } from './options.js';
import { RequestMetrics } from './request_metrics.js';
import { ServerSpans } from './server_spans.js';
import { FileSpans, TaskSpans } from './work_spans.js';

const NAME = 'ringpoll';
let running: Tracing | undefined;

const runAsIs = (run: () => void): void => run();

export class Tracing {
  #errors = 0;
  readonly #undo: (() => void)[] = [];

  /** @internal */
  constructor(checked: CheckedTracing) {
    ensureContextManager(checked.api);
    const { api, server, client, tasks, files } = checked;
    const tracer = api.trace.getTracer(NAME, VERSION);
    const metrics = this.#metricsOf(checked);
    if (server || metrics !== undefined) {
      this.#serve(server ? new ServerSpans(checked, tracer) : undefined, metrics);
    }
    if (client || metrics !== undefined) {
      this.#ask(client ? new ClientSpans(checked, tracer) : undefined, metrics);
    }
    if (tasks) this.#work(new TaskSpans(checked, tracer));
    if (files) this.#useFiles(new FileSpans(checked, tracer));
  }

  #metricsOf(checked: CheckedTracing): RequestMetrics | undefined {
    if (!checked.metrics || checked.api.metrics === undefined) return undefined;
    return this.#safely(() => new RequestMetrics(checked, NAME, VERSION));
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

  #serve(spans: ServerSpans | undefined, metrics: RequestMetrics | undefined): void {
    const observer: RequestObserver = {
      start: (event) => {
        this.#safely(() => metrics?.begun(event));
        return this.#safely(() => spans?.start(event)) ?? runAsIs;
      },
      end: (event) => {
        this.#safely(() => spans?.end(event));
        this.#safely(() => metrics?.served(event));
      },
      failed: (error, request) => this.#safely(() => spans?.failed(error, request)),
    };
    setRequestObserver(observer);
    this.#undo.push(() => setRequestObserver(undefined));
  }

  #ask(spans: ClientSpans | undefined, metrics: RequestMetrics | undefined): void {
    this.#subscribe<ClientRequestEvent>(requestStart, (event) => spans?.start(event));
    this.#subscribe<ClientRequestEvent>(requestEnd, (event) => {
      spans?.end(event);
      metrics?.asked(event);
    });
    this.#subscribe<ClientRequestEvent>(requestError, (event) => {
      spans?.failed(event);
      metrics?.asked(event);
    });
  }

  #work(spans: TaskSpans): void {
    setTaskObserver({
      start: (event) => this.#safely(() => spans.start(event)) ?? runAsIs,
      end: (event) => this.#safely(() => spans.end(event)),
    });
    this.#undo.push(() => setTaskObserver(undefined));
  }

  #useFiles(spans: FileSpans): void {
    this.#subscribe<FileOperationEvent>(operationStart, (event) => spans.start(event));
    this.#subscribe<FileOperationEvent>(operationEnd, (event) => spans.end(event));
    this.#subscribe<FileOperationEvent>(operationError, (event) => spans.failed(event));
  }

  #subscribe<Event>(to: typeof requestStart, hear: (event: Event) => void): void {
    const listener = (message: unknown) => this.#safely(() => hear(message as Event));
    to.subscribe(listener);
    this.#undo.push(() => to.unsubscribe(listener));
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
 * Makes spans for requests of serve() and of ringpoll/client, for tasks and for files, and metrics
 * of requests, in this thread, until stop(). Call it after the SDK has started. When no context
 * manager is set, one over AsyncLocalStorage is.
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
