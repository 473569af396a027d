// A request that is counted, while somebody measures its server.
import type { HeadView } from '../http/head.js';
import type { RequestMeter } from '../http/request_meter.js';
import { Head } from '../runtime/protocol.js';
import { routeOf } from './framework_routes.js';

interface Answered {
  statusCode: number;
  req: object;
}

export class Measured {
  readonly #meter: RequestMeter;
  readonly #method: number;
  readonly #since: number;

  constructor(meter: RequestMeter, { _words: words, _at: at }: HeadView) {
    this.#meter = meter;
    // A program may put another in its place.
    this.#method = words[at + Head.method];
    this.#since = meter.begins();
  }

  /** Calls what handles it. */
  handled(run: () => void): void {
    if (!this.#meter.timesHandlers) {
      run();
      return;
    }
    const from = performance.now();
    run();
    this.#meter.handlerTook(performance.now() - from);
  }

  answered({ req, statusCode }: Answered): void {
    this.#meter.ends(routeOf(req), this.#method, statusCode, this.#since);
  }

  /** Its connection is over. */
  dropped(): void {
    this.#meter.breaksOff();
  }
}
