// What `ringpoll layers --compare` loads into a program on both sides: it tells where the program
// listens, and measures when it is asked to.
import http from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { LayerCosts } from '../admin/layer_costs.js';
import { fallbackOf } from '../faces.js';

/** What the program tells. */
export type SideMessage =
  | { what: 'listens'; host: string; port: number; fellBack: string | undefined }
  | { what: 'began' }
  | { what: 'ended'; usage: SideUsage };

/** What it is told: to begin, with or without layers, and to end. */
export interface SideOrder {
  what: 'begin' | 'end';
  layers?: boolean;
}

export interface SideUsage {
  /** Microseconds of CPU time: all threads of the process. */
  user: number;
  system: number;
  /** What the layers are; undefined: they were not measured. */
  layers: LayerCosts | undefined;
}

/** How one side measures its layers. */
export interface SideMeter {
  begin(): void;
  end(): LayerCosts;
}

type Emit = (this: http.Server, event: string, ...given: unknown[]) => boolean;

/** What is done in the place of calling a server's listeners; `tell` calls them. */
export interface EventsAround {
  /** Whether requests are wanted now. */
  isMeasuring(): boolean;
  request(tell: () => boolean): boolean;
  connection?(socket: Socket): void;
}

export function aroundEvents(around: EventsAround): void {
  const { prototype } = http.Server;
  const emit = prototype.emit as Emit;
  const own: Emit = function (event, ...given) {
    if (event === 'request' && around.isMeasuring()) {
      return around.request(() => emit.call(this, event, ...given));
    }
    const told = emit.call(this, event, ...given);
    if (event === 'connection') around.connection?.(given[0] as Socket);
    return told;
  };
  prototype.emit = own as never;
}

const tell = (message: SideMessage) => process.send?.(message);

/** The first HTTP server of the program that listens is the one that is asked. */
export function reportTo(parent: NodeJS.Process, meter: SideMeter): void {
  const { listen } = http.Server.prototype;
  let isKnown = false;
  http.Server.prototype.listen = function (this: http.Server, ...given: unknown[]) {
    this.once('listening', () => {
      const address = this.address() as AddressInfo | string | null;
      if (isKnown || address === null || typeof address === 'string') return;
      isKnown = true;
      const { port, address: bound } = address;
      const host = bound === '::' || bound === '0.0.0.0' ? '127.0.0.1' : bound;
      tell({ what: 'listens', host, port, fellBack: fallbackOf(this) });
    });
    return Reflect.apply(listen, this, given);
  } as never;
  let measures = false;
  let before = process.cpuUsage();
  parent.on('message', ({ what, layers = false }: SideOrder) => {
    if (what === 'begin') {
      measures = layers;
      before = process.cpuUsage();
      if (measures) meter.begin();
      tell({ what: 'began' });
      return;
    }
    const measured = measures ? meter.end() : undefined;
    const { user, system } = process.cpuUsage(before);
    tell({ what: 'ended', usage: { user, system, layers: measured } });
  });
  // The program ends when it would without.
  parent.channel?.unref();
}
