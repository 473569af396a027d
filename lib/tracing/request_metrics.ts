// Metrics of requests through the API of OpenTelemetry, with the names of its conventions.
import type { ClientRequestEvent } from '../client/index.js';
import type { ServerRequestEvent } from '../http/index.js';
import type { Histogram, UpDownCounter } from './api.js';
import type { CheckedTracing } from './options.js';
import { errorType, methodName } from './server_spans.js';

const MS_PER_S = 1e3;
/** What the conventions advise for durations, in seconds. */
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

type Attributes = Record<string, string | number>;

export class RequestMetrics {
  readonly #served: Histogram;
  readonly #active: UpDownCounter;
  readonly #asked: Histogram;

  constructor({ api }: CheckedTracing, name: string, version: string) {
    const meter = api.metrics!.getMeter(name, version);
    const durations = (description: string) => ({
      description,
      unit: 's',
      advice: { explicitBucketBoundaries: BOUNDS },
    });
    const served = durations('Duration of HTTP server requests.');
    this.#served = meter.createHistogram('http.server.request.duration', served);
    const asked = durations('Duration of HTTP client requests.');
    this.#asked = meter.createHistogram('http.client.request.duration', asked);
    this.#active = meter.createUpDownCounter('http.server.active_requests', {
      description: 'Number of active HTTP server requests.',
      unit: '{request}',
    });
  }

  begun({ request }: ServerRequestEvent): void {
    this.#active.add(1, ofRequest(request));
  }

  served({ request, route, status, aborted, ms }: ServerRequestEvent): void {
    this.#active.add(-1, ofRequest(request));
    const attributes: Attributes = ofRequest(request);
    attributes['network.protocol.version'] = request.httpVersion;
    if (route !== '') attributes['http.route'] = route;
    if (status !== undefined) attributes['http.response.status_code'] = status;
    if (aborted) attributes['error.type'] = 'aborted';
    else if (status !== undefined && status >= 500) attributes['error.type'] = String(status);
    this.#served.record(ms / MS_PER_S, attributes);
  }

  asked({ method, origin, response, error, ms }: ClientRequestEvent): void {
    const { hostname, port, protocol } = new URL(origin);
    const attributes: Attributes = {
      'http.request.method': methodName(method),
      'server.address': hostname,
      'server.port': Number(port) || (protocol === 'https:' ? 443 : 80),
    };
    if (response !== undefined) attributes['http.response.status_code'] = response.status;
    if (error !== undefined) attributes['error.type'] = errorType(error);
    else if (response !== undefined && response.status >= 400) {
      attributes['error.type'] = String(response.status);
    }
    this.#asked.record(ms / MS_PER_S, attributes);
  }
}

const ofRequest = ({ method, secure }: ServerRequestEvent['request']): Attributes => ({
  'http.request.method': methodName(method),
  'url.scheme': secure ? 'https' : 'http',
});
