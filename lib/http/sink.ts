// The events of HTTP connections go to the server that each belongs to.
import { registerSink, Wing } from '../runtime/dispatch.js';
import { Event } from '../runtime/protocol.js';
import { brokenConnection } from '../tcp/events.js';
import { endpoints } from '../tcp/tables.js';

const afterwards: (() => void)[] = [];

/** `run` is called whenever the events of a turn have been walked. */
export function afterHttpEvents(run: () => void): void {
  afterwards.push(run);
}

registerSink(Wing.http, {
  event: (kind, at, events) => endpoints[events[at + 7]]?.protocol?.event(kind, at),
  broken: brokenConnection,
  afterEvents() {
    for (const run of afterwards) run();
  },
  batched: Event.request,
});
