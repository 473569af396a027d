// Spans for what is no request: tasks of schedulers, and operations on files.
import type { FileOperationEvent } from '../fs/index.js';
import type { TaskEvent } from '../scheduler/index.js';
import { type Span, SpanKind, STATUS_ERROR, type Tracer } from './api.js';
import type { CheckedTracing } from './options.js';
import { errorType } from './server_spans.js';

function fail(span: Span, error: unknown): void {
  span.setAttribute('error.type', errorType(error));
  span.recordException(error);
  span.setStatus({ code: STATUS_ERROR });
}

/** From the task's making to the end of its body. */
export class TaskSpans {
  readonly #of: CheckedTracing;
  readonly #tracer: Tracer;
  readonly #spans = new WeakMap<TaskEvent, Span>();

  constructor(of: CheckedTracing, tracer: Tracer) {
    this.#of = of;
    this.#tracer = tracer;
  }

  start(event: TaskEvent): (run: () => void) => void {
    const { api } = this.#of;
    const { id, name, taskClass } = event;
    const attributes = { 'ringpoll.task.id': id, 'ringpoll.task.class': taskClass };
    const options = { kind: SpanKind.internal, attributes };
    const span = this.#tracer.startSpan(`task ${name}`, options, api.context.active());
    this.#spans.set(event, span);
    const context = api.trace.setSpan(api.context.active(), span);
    return (run) => api.context.with(context, run);
  }

  end(event: TaskEvent): void {
    const span = this.#spans.get(event);
    if (span === undefined) return;
    this.#spans.delete(event);
    span.setAttribute('ringpoll.task.ran_ms', event.ranMs);
    if (event.cancelled) span.setAttribute('error.type', 'cancelled');
    else if (event.error !== undefined) fail(span, event.error);
    span.end();
  }
}

export class FileSpans {
  readonly #of: CheckedTracing;
  readonly #tracer: Tracer;
  readonly #spans = new WeakMap<FileOperationEvent, Span>();

  constructor(of: CheckedTracing, tracer: Tracer) {
    this.#of = of;
    this.#tracer = tracer;
  }

  start(event: FileOperationEvent): void {
    const { operation, path } = event;
    const attributes: Record<string, string> = path === undefined ? {} : { 'file.path': path };
    const options = { kind: SpanKind.internal, attributes };
    const context = this.#of.api.context.active();
    this.#spans.set(event, this.#tracer.startSpan(`fs ${operation}`, options, context));
  }

  end(event: FileOperationEvent): void {
    this.#take(event)?.end();
  }

  failed(event: FileOperationEvent): void {
    const span = this.#take(event);
    if (span === undefined) return;
    fail(span, event.error);
    span.end();
  }

  #take(event: FileOperationEvent): Span | undefined {
    const span = this.#spans.get(event);
    this.#spans.delete(event);
    return span;
  }
}
