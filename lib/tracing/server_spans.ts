// A span for each request of serve(), with the names of OpenTelemetry's conventions.

import type { RequestObserver, ServerRequestEvent } from '../http/diagnostics.js';
import type { HttpRequest } from '../http/index.js';
import type { ObservedServer } from '../http/observed.js';
import { type Context, type Span, SpanKind, STATUS_ERROR, type Tracer } from './api.js';
import { parseBaggage } from './baggage.js';
import type { CheckedTracing } from './options.js';
import { parseTraceparent } from './traceparent.js';

const TRACESTATE_LENGTH_MAX = 512;
/** Characters of what a peer has chosen, in an attribute. */
const TEXT_LENGTH_MAX = 1024;
const METHODS = new Set('CONNECT DELETE GET HEAD OPTIONS PATCH POST PUT TRACE QUERY'.split(' '));
const SERVER_ERROR = 500;
const SAMPLED = 1;

/** A name of few: peers must not fill the tables of a backend. */
export const methodName = (method: string): string => (METHODS.has(method) ? method : '_OTHER');

/** How a span begins whose method is no usual one. */
export const spanName = (method: string): string => (METHODS.has(method) ? method : 'HTTP');

export const errorType = (error: unknown): string => {
  const { code, name } = Object(error) as { code?: unknown; name?: unknown };
  return String(code ?? name ?? '_OTHER');
};

export class ServerSpans implements RequestObserver {
  readonly #of: CheckedTracing;
  readonly #tracer: Tracer;
  readonly #spans = new WeakMap<HttpRequest, Span>();

  constructor(of: CheckedTracing, tracer: Tracer) {
    this.#of = of;
    this.#tracer = tracer;
  }

  /** What the peer has sent, or nothing. */
  #parentOf(request: HttpRequest): Context {
    const { api, incoming } = this.#of;
    let context = api.ROOT_CONTEXT;
    if (!incoming(request)) return context;
    const baggage = parseBaggage(request.header('baggage'));
    if (baggage !== undefined) {
      context = api.propagation.setBaggage(context, api.propagation.createBaggage(baggage));
    }
    const parent = parseTraceparent(request.header('traceparent'));
    if (parent === undefined) return context;
    const state = request.header('tracestate');
    if (state !== undefined && state.length <= TRACESTATE_LENGTH_MAX) {
      parent.traceState = api.createTraceState(state);
    }
    return api.trace.setSpanContext(context, parent);
  }

  start({ request }: ServerRequestEvent): (run: () => void) => void {
    const { api } = this.#of;
    const { method } = request;
    const attributes: Record<string, string | number> = {
      'http.request.method': methodName(method),
      'url.scheme': request.secure ? 'https' : 'http',
      'url.path': request.path.slice(0, TEXT_LENGTH_MAX),
      'network.protocol.version': request.httpVersion,
    };
    const { remoteAddress } = request;
    if (remoteAddress !== undefined) attributes['client.address'] = remoteAddress;
    const agent = request.header('user-agent');
    if (agent !== undefined) attributes['user_agent.original'] = agent.slice(0, TEXT_LENGTH_MAX);
    const parent = this.#parentOf(request);
    const options = { kind: SpanKind.server, attributes };
    const span = this.#tracer.startSpan(spanName(method), options, parent);
    this.#spans.set(request, span);
    const context = api.trace.setSpan(parent, span);
    return (run) => api.context.with(context, run);
  }

  end(event: ServerRequestEvent): void {
    const { request, route, status, aborted } = event;
    const span = this.#spans.get(request);
    if (span === undefined) return;
    this.#spans.delete(request);
    this.#leaveExemplar(event, span);
    if (route !== '') {
      span.setAttribute('http.route', route);
      span.updateName(`${spanName(request.method)} ${route}`);
    }
    if (status !== undefined) span.setAttribute('http.response.status_code', status);
    if (aborted) span.setAttribute('error.type', 'aborted');
    else if (status !== undefined && status >= SERVER_ERROR) {
      span.setStatus({ code: STATUS_ERROR });
    }
    span.end();
  }

  /** Where requests are measured, a histogram leads to a trace of it. */
  #leaveExemplar({ server, route, aborted, ms }: ServerRequestEvent, span: Span): void {
    const meter = (server as Partial<ObservedServer>)._meter;
    if (meter === undefined || aborted) return;
    const { traceId, traceFlags } = span.spanContext();
    // What is not sampled cannot be looked at.
    if ((traceFlags & SAMPLED) !== 0) meter.traced(route, traceId, ms);
  }

  failed(error: Error, request: HttpRequest | undefined): void {
    const span = request && this.#spans.get(request);
    if (span === undefined) return;
    span.setAttribute('error.type', errorType(error));
    span.recordException(error);
  }
}
