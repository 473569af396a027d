// A connection that was upgraded on both sides: each sends what the other one receives.
import type { ClientResponse } from '../client/response.js';
import type { HttpResponse } from '../http/response.js';
import type { Connection } from '../tcp/connection.js';
import type { Handlers } from '../tcp/connection_handlers.js';

/**
 * Joins the client of `response` with the target behind `answer`, until no byte has moved for
 * `idleMs`; 0: as long as they like.
 */
export function joinUpgraded(response: HttpResponse, answer: ClientResponse, idleMs: number): void {
  const pair: { down?: Connection; up?: Connection } = {};
  const side = (other: 'down' | 'up'): Handlers => ({
    data(connection, chunk) {
      const to = pair[other];
      if (to === undefined || to.write(chunk) || to._over) return;
      connection.pause();
      to.drained().then(
        () => connection.resume(),
        () => {},
      );
    },
    end() {
      pair[other]?.end();
    },
    error() {},
    close(_, error) {
      if (error === undefined) pair[other]?.close();
      else pair[other]?.reset();
    },
  });
  pair.down = response.upgrade({}, side('up')) as Connection;
  pair.up = answer.upgrade(side('down')) as Connection;
  for (const connection of [pair.down, pair.up]) connection.setTimeout(idleMs);
}
