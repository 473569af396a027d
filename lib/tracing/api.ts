// As much of @opentelemetry/api as is used here, and where it is found. The package does not depend
// on it: it is the program's own, which has to be the one that its SDK uses.
import { nodeModule } from '../builtins.js';
import { invalidArgType, RingpollError } from '../errors.js';

/** An immutable map, in which the active span is. */
export interface Context {
  getValue(key: symbol): unknown;
  setValue(key: symbol, value: unknown): Context;
}

export interface SpanContext {
  traceId: string;
  spanId: string;
  traceFlags: number;
  isRemote?: boolean;
  traceState?: { serialize(): string };
}

export interface Span {
  spanContext(): SpanContext;
  setAttribute(name: string, value: string | number): unknown;
  setStatus(status: { code: number; message?: string }): unknown;
  updateName(name: string): unknown;
  recordException(error: unknown): void;
  end(): void;
}

export interface SpanStart {
  kind: number;
  attributes: Record<string, string | number>;
}

export interface Tracer {
  startSpan(name: string, options: SpanStart, context: Context): Span;
}

export interface BaggageEntry {
  value: string;
}

export interface Baggage {
  getAllEntries(): [string, BaggageEntry][];
}

export interface ContextManager {
  active(): Context;
  with<Args extends unknown[], Result>(
    context: Context,
    run: (...args: Args) => Result,
    thisArg?: unknown,
    ...args: Args
  ): Result;
  bind<Target>(context: Context, target: Target): Target;
  enable(): this;
  disable(): this;
}

type MetricAttributes = Record<string, string | number>;

interface InstrumentOptions {
  description: string;
  unit: string;
  advice?: { explicitBucketBoundaries: number[] };
}

export interface Histogram {
  record(value: number, attributes: MetricAttributes): void;
}

export interface UpDownCounter {
  add(value: number, attributes: MetricAttributes): void;
}

export interface Meter {
  createHistogram(name: string, options: InstrumentOptions): Histogram;
  createUpDownCounter(name: string, options: InstrumentOptions): UpDownCounter;
}

/** What the module @opentelemetry/api exports, from 1.1 on. */
export interface OpenTelemetryApi {
  ROOT_CONTEXT: Context;
  createContextKey(name: string): symbol;
  createTraceState(text: string): { serialize(): string };
  context: {
    active(): Context;
    with<Result>(context: Context, run: () => Result): Result;
    setGlobalContextManager(manager: ContextManager): boolean;
  };
  /** From 1.3 on. */
  metrics?: {
    getMeter(name: string, version?: string): Meter;
  };
  trace: {
    getTracer(name: string, version?: string): Tracer;
    setSpan(context: Context, span: Span): Context;
    setSpanContext(context: Context, of: SpanContext): Context;
  };
  propagation: {
    createBaggage(entries: Record<string, BaggageEntry>): Baggage;
    getBaggage(context: Context): Baggage | undefined;
    setBaggage(context: Context, baggage: Baggage): Context;
  };
}

export const SpanKind = { internal: 0, server: 1, client: 2 } as const;
export const STATUS_ERROR = 2;
const NAME = '@opentelemetry/api';

/**
 * The one that was given, or the package's.
 * @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE
 * @throws RingpollError ERR_RINGPOLL_TRACING_UNAVAILABLE
 */
export function findApi(given: unknown): OpenTelemetryApi {
  if (given !== undefined) {
    const api = given as Partial<OpenTelemetryApi> | null;
    if (typeof api?.trace?.getTracer !== 'function' || typeof api.context?.with !== 'function') {
      throw invalidArgType('options.api', `the module ${NAME}`, given);
    }
    return given as OpenTelemetryApi;
  }
  // Of the program first: beside it lies the one that its SDK uses.
  for (const from of [`${process.cwd()}/package.json`, import.meta.url]) {
    try {
      return nodeModule().createRequire(from)(NAME) as OpenTelemetryApi;
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  throw new RingpollError(
    'ERR_RINGPOLL_TRACING_UNAVAILABLE',
    `${NAME} is not installed: install it, or give its module as options.api`,
  );
}
