// The events of client connections.

import { asError } from '../errors.js';
import { registerSink, Wing } from '../runtime/dispatch.js';
import { runtime } from '../runtime/runtime.js';
import { ticks, uncaught } from '../runtime/ticks.js';
import { passing, wireAt } from './wire.js';

registerSink(Wing.client, {
  event(kind, at, events) {
    wireAt(events[at + 1], events[at + 2])?.event(kind, at);
  },
  broken(at, error) {
    const { events } = runtime();
    const wire = wireAt(events[at + 1], events[at + 2]);
    if (wire === undefined) uncaught(error);
    else wire.destroy(asError(error));
  },
  afterEvents() {
    if (passing.length === 0) return;
    // Most bodies are read by what waits for the response: it runs before they are copied.
    ticks();
    for (const response of passing) response._detach();
    passing.length = 0;
  },
});
