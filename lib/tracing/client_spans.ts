// A span for each request of ringpoll/client, until the head of its response has come.
import type { ClientRequestEvent } from '../client/index.js';
import { type Span, SpanKind, STATUS_ERROR, type Tracer } from './api.js';
import { formatBaggage } from './baggage.js';
import type { CheckedTracing } from './options.js';
import { errorType, methodName, spanName } from './server_spans.js';
import { formatTraceparent } from './traceparent.js';

const CLIENT_ERROR = 400;

export class ClientSpans {
  readonly #of: CheckedTracing;
  readonly #tracer: Tracer;
  readonly #spans = new WeakMap<ClientRequestEvent, Span>();

  constructor(of: CheckedTracing, tracer: Tracer) {
    this.#of = of;
    this.#tracer = tracer;
  }

  start(event: ClientRequestEvent): void {
    const { api, outgoing } = this.#of;
    const { method, origin } = event;
    const { hostname, port, protocol } = new URL(origin);
    const attributes = {
      'http.request.method': methodName(method),
      'server.address': hostname,
      'server.port': Number(port) || (protocol === 'https:' ? 443 : 80),
      // Without the query, which may have secrets.
      'url.full': `${origin}${event.path.split('?', 1)[0]}`,
    };
    const context = api.context.active();
    const options = { kind: SpanKind.client, attributes };
    const span = this.#tracer.startSpan(spanName(method), options, context);
    this.#spans.set(event, span);
    if (outgoing(event)) this.#inject(event, span);
  }

  /** What the program has set itself stays; what a peer has set is passed on as our own. */
  #inject(event: ClientRequestEvent, span: Span): void {
    const { api } = this.#of;
    const isOpen = (name: string) => event.forwarded || !event.hasHeader(name);
    const spanContext = span.spanContext();
    const parent = formatTraceparent(spanContext);
    if (parent !== undefined && isOpen('traceparent')) {
      event.setHeader('traceparent', parent);
      const state = spanContext.traceState?.serialize();
      if (state) event.setHeader('tracestate', state);
    }
    const baggage = api.propagation.getBaggage(api.context.active());
    if (baggage === undefined || !isOpen('baggage')) return;
    const text = formatBaggage(baggage.getAllEntries());
    if (text !== '') event.setHeader('baggage', text);
  }

  end(event: ClientRequestEvent): void {
    const span = this.#take(event);
    const status = event.response?.status;
    if (span === undefined || status === undefined) return;
    span.setAttribute('http.response.status_code', status);
    if (status >= CLIENT_ERROR) {
      span.setAttribute('error.type', String(status));
      span.setStatus({ code: STATUS_ERROR });
    }
    span.end();
  }

  failed(event: ClientRequestEvent): void {
    const span = this.#take(event);
    if (span === undefined) return;
    span.setAttribute('error.type', errorType(event.error));
    span.recordException(event.error);
    span.setStatus({ code: STATUS_ERROR });
    span.end();
  }

  #take(event: ClientRequestEvent): Span | undefined {
    const span = this.#spans.get(event);
    this.#spans.delete(event);
    return span;
  }
}
