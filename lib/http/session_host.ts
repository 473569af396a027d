// What a session asks of its server.
import type { Connection } from '../tcp/connection.js';
import type { Hooks } from './hooks.js';
import type { HttpRequest } from './request.js';
import type { RequestMeter } from './request_meter.js';
import type { HttpResponse } from './response.js';
import type { Templates } from './templates.js';

export interface SessionHost {
  readonly _templates: Templates;
  readonly _allowHalfOpen: boolean;
  readonly _holdsUpgrades: boolean;
  /** Connections may begin with a PROXY header. */
  readonly _proxied: boolean;
  readonly _stopping: boolean;
  /** Connections are those of TLS. */
  readonly _secure: boolean;
  /** undefined: nobody measures. */
  readonly _meter: RequestMeter | undefined;
  /** undefined: there are none. */
  readonly _hooks: Hooks | undefined;
  /** Runs the handler. */
  _handle(request: HttpRequest, response: HttpResponse): void;
  /** Tells the error listener. */
  _report(error: Error, request?: HttpRequest): void;
  /** The connection speaks something else from now on. */
  _forget(connection: Connection): void;
}
