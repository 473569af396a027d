// Responses that have ended, and whose ends nobody hears of: they need no tick of their own, and
// are settled when the turn is over.
import { dump } from './incoming.js';
import { ASSIGNED } from './names.js';
import type { NativeResponse } from './outgoing.js';

const quiet: NativeResponse[] = [];

export function settleLater(response: NativeResponse): void {
  quiet.push(response);
}

/** To be called whenever the events of a turn have been walked. */
export function settleQuiet(): void {
  for (let i = 0; i < quiet.length; i++) {
    const response = quiet[i];
    response[ASSIGNED] = false;
    response.destroyed = true;
    response._closed = true;
    dump(response.req);
  }
  quiet.length = 0;
}
