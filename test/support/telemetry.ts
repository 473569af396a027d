// A small tracer of the shape of @opentelemetry/api and an SDK, which keeps what it is told.
interface SpanContext {
  traceId: string;
  spanId: string;
  traceFlags: number;
  isRemote?: boolean;
  traceState?: { serialize(): string };
}

class Context {
  constructor(readonly values: ReadonlyMap<symbol, unknown> = new Map()) {}

  getValue(key: symbol): unknown {
    return this.values.get(key);
  }

  setValue(key: symbol, value: unknown): Context {
    return new Context(new Map([...this.values, [key, value]]));
  }
}

export class RecordedSpan {
  readonly attributes: Record<string, unknown>;
  readonly exceptions: unknown[] = [];
  status = 0;
  ended = 0;

  constructor(
    public name: string,
    readonly kind: number,
    attributes: Record<string, unknown>,
    readonly parent: SpanContext | undefined,
    readonly context: SpanContext,
  ) {
    this.attributes = { ...attributes };
  }

  spanContext(): SpanContext {
    return this.context;
  }
  setAttribute(name: string, value: unknown): this {
    if (this.ended === 0) this.attributes[name] = value;
    return this;
  }
  setStatus({ code }: { code: number }): this {
    if (this.ended === 0) this.status = code;
    return this;
  }
  updateName(name: string): this {
    if (this.ended === 0) this.name = name;
    return this;
  }
  recordException(error: unknown): void {
    if (this.ended === 0) this.exceptions.push(error);
  }
  end(): void {
    this.ended++;
  }
}

interface Manager {
  active(): Context;
  with<Result>(context: Context, run: () => Result): Result;
}

/** `spans` are in the order of their beginning. */
export function fakeTelemetry() {
  const spans: RecordedSpan[] = [];
  const recorded: { name: string; value: number; attributes: Record<string, unknown> }[] = [];
  const keeping = (name: string) => (value: number, attributes: Record<string, unknown>) => {
    recorded.push({ name, value, attributes });
  };
  const SPAN = Symbol('span');
  const BAGGAGE = Symbol('baggage');
  const ROOT_CONTEXT = new Context();
  let manager: Manager = { active: () => ROOT_CONTEXT, with: (_, run) => run() };
  let breaks = false;
  const hex = (digits: number) => (spans.length + 1).toString(16).padStart(digits, '0');
  const api = {
    ROOT_CONTEXT,
    createContextKey: (name: string) => Symbol.for(name),
    createTraceState: (text: string) => ({ serialize: () => text }),
    context: {
      active: () => manager.active(),
      with: <Result>(context: Context, run: () => Result) => manager.with(context, run),
      setGlobalContextManager: (one: Manager) => {
        manager = one;
        return true;
      },
    },
    metrics: {
      getMeter: () => ({
        createHistogram: (name: string) => ({ record: keeping(name) }),
        createUpDownCounter: (name: string) => ({ add: keeping(name) }),
      }),
    },
    trace: {
      getTracer: () => ({
        startSpan(
          name: string,
          { kind, attributes }: { kind: number; attributes: Record<string, unknown> },
          context: Context,
        ) {
          if (breaks) throw new Error('the tracer is broken');
          const holder = context.getValue(SPAN) as { spanContext(): SpanContext } | undefined;
          const parent = holder?.spanContext();
          const span = new RecordedSpan(name, kind, attributes, parent, {
            traceId: parent?.traceId ?? hex(32),
            spanId: hex(16),
            traceFlags: parent?.traceFlags ?? 1,
            traceState: parent?.traceState,
          });
          spans.push(span);
          return span;
        },
      }),
      setSpan: (context: Context, span: unknown) => context.setValue(SPAN, span),
      setSpanContext: (context: Context, of: SpanContext) =>
        context.setValue(SPAN, { spanContext: () => of }),
    },
    propagation: {
      createBaggage: (entries: Record<string, { value: string }>) => ({
        getAllEntries: () => Object.entries(entries),
      }),
      getBaggage: (context: Context) => context.getValue(BAGGAGE),
      setBaggage: (context: Context, baggage: unknown) => context.setValue(BAGGAGE, baggage),
    },
  };
  return {
    api,
    spans,
    recorded,
    activeSpan: () => manager.active().getValue(SPAN) as RecordedSpan | undefined,
    breakDown: () => {
      breaks = true;
    },
  };
}
