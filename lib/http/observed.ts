// The HTTP servers of this thread, for who observes them.
import type { PathAddress, SocketAddress } from '../runtime/native.js';
import type { RequestMeter } from './request_meter.js';

export interface ObservedServer {
  readonly address: SocketAddress | PathAddress;
  readonly connections: number;
  readonly _stopping: boolean;
  /** Native code's number. */
  readonly _endpointId: number;
  /** undefined: nobody measures. */
  readonly _meter: RequestMeter | undefined;
  /** Measures from now on, until the function that it returns was called. */
  _measure(): () => void;
}

/** Counts who measures a server. */
export class Measuring {
  #users = 0;

  /** One more, until the function that this returns was called: the last one calls `stop`. */
  join(stop: () => void): () => void {
    this.#users++;
    let measures = true;
    return () => {
      if (measures && --this.#users === 0) stop();
      measures = false;
    };
  }
}

/** Those that listen, or have connections. */
export const observedServers = new Set<ObservedServer>();
/** Called for each that begins to listen. */
export const newServerListeners = new Set<(server: ObservedServer) => void>();

export function observe(server: ObservedServer): void {
  observedServers.add(server);
  for (const listener of newServerListeners) listener(server);
}
