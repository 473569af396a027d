// All that an endpoint looks at: it measures while it is there, and no longer.
import { newServerListeners, type ObservedServer, observedServers } from '../http/observed.js';
import type { Watchdog } from '../loop/watchdog.js';
import { type TurnMeter, turnMeter } from '../runtime/turn_meter.js';
import type { HybridScheduler } from '../scheduler/index.js';
import { Alarms } from './alarms.js';
import type { CheckedOptions } from './options.js';
import { Pauses } from './pauses.js';
import { Threads } from './threads.js';

export class Observer {
  readonly turns: TurnMeter = turnMeter();
  readonly pauses = new Pauses();
  readonly scheduler: HybridScheduler | undefined;
  readonly threads: Threads;
  readonly watchdog: Pick<Watchdog, 'report'> | undefined;
  /** undefined: there are none. */
  readonly alarms: Alarms | undefined;
  readonly #own: ObservedServer;
  readonly #measuring = new Map<ObservedServer, () => void>();
  readonly #onNew: ((server: ObservedServer) => void) | undefined;
  #looks = true;

  /** `own` is the endpoint's own server, which is not shown. */
  constructor(checked: CheckedOptions, own: ObservedServer) {
    const { requests, scheduler, group, alarms, alarm, interval, watchdog } = checked;
    this.#own = own;
    this.scheduler = scheduler;
    this.watchdog = watchdog;
    this.threads = new Threads(group);
    this.turns.join();
    this.alarms = alarms && new Alarms(this, alarms, interval, alarm);
    if (!requests) return;
    this.#onNew = (server) => this.#measure(server);
    newServerListeners.add(this.#onNew);
    for (const server of observedServers) this.#measure(server);
  }

  #measure(server: ObservedServer): void {
    if (server !== this.#own) this.#measuring.set(server, server._measure());
  }

  /** The HTTP servers of this thread that are not over. */
  servers(): ObservedServer[] {
    for (const server of this.#measuring.keys()) {
      if (!observedServers.has(server)) this.#measuring.delete(server);
    }
    return [...observedServers].filter((server) => server !== this.#own);
  }

  /** A second time is no harm. */
  stop(): void {
    if (!this.#looks) return;
    this.#looks = false;
    if (this.#onNew !== undefined) newServerListeners.delete(this.#onNew);
    for (const stop of this.#measuring.values()) stop();
    this.#measuring.clear();
    this.alarms?.stop();
    this.pauses.stop();
    this.turns.leave();
  }
}

/** How a server is called: its address and port, or its path. */
export function nameOf({ address }: ObservedServer): string {
  if ('path' in address) return address.path;
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `${host}:${address.port}`;
}
