// The options of startTracing(), their defaults and their checks.
import { boolean } from '../checks.js';
import type { ClientRequestEvent } from '../client/index.js';
import { invalidArgType } from '../errors.js';
import type { HttpRequest } from '../http/index.js';
import { checkOptions, optionNames } from '../option_names.js';
import { findApi, type OpenTelemetryApi } from './api.js';

export interface TracingOptions {
  /** The module @opentelemetry/api. Default: the one that the program has installed. */
  api?: unknown;
  /**
   * Whether a request goes on with the trace and the baggage that its peer has sent. A server that
   * strangers reach should not: they would say what is sampled. Default: true.
   */
  incoming?: boolean | ((request: HttpRequest) => boolean);
  /** Whether the client tells servers its trace and the baggage. Default: true. */
  outgoing?: boolean | ((request: ClientRequestEvent) => boolean);
  /** Spans for requests of serve(). Default: true. */
  server?: boolean;
  /** Spans for requests of ringpoll/client, and for those that proxy() passes on. Default: true. */
  client?: boolean;
  /** Spans for tasks of ringpoll/scheduler. Default: true. */
  tasks?: boolean;
  /** Spans for open(), sendFile() and whole files of ringpoll/fs. Default: true. */
  files?: boolean;
  /** Metrics of requests, where the API has metrics. Default: true. */
  metrics?: boolean;
}

export interface CheckedTracing {
  api: OpenTelemetryApi;
  incoming: (request: HttpRequest) => boolean;
  outgoing: (request: ClientRequestEvent) => boolean;
  server: boolean;
  client: boolean;
  tasks: boolean;
  files: boolean;
  metrics: boolean;
}

const OPTIONS = optionNames<TracingOptions>('startTracing()', {
  api: true,
  incoming: true,
  outgoing: true,
  server: true,
  client: true,
  tasks: true,
  files: true,
  metrics: true,
});

function decision<Of>(name: string, given: unknown): (of: Of) => boolean {
  if (typeof given === 'function') return given as (of: Of) => boolean;
  if (given !== undefined && typeof given !== 'boolean') {
    throw invalidArgType(name, 'true, false or a function', given);
  }
  return () => given ?? true;
}

/** @throws TypeError, RingpollError */
export function checkTracing(options: TracingOptions): CheckedTracing {
  checkOptions(OPTIONS, options);
  return {
    incoming: decision('options.incoming', options.incoming),
    outgoing: decision('options.outgoing', options.outgoing),
    server: boolean('options.server', options.server, true),
    client: boolean('options.client', options.client, true),
    tasks: boolean('options.tasks', options.tasks, true),
    files: boolean('options.files', options.files, true),
    metrics: boolean('options.metrics', options.metrics, true),
    api: findApi(options.api),
  };
}
