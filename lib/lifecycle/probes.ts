// Answers to the probes of an orchestrator, as routes of serve().
import type { Handler } from '../http/handler.js';
import type { HttpRequest } from '../http/request.js';
import type { HttpResponse } from '../http/response.js';

interface Asked {
  isReady(): boolean;
  isLive(): boolean;
}

const probe =
  (holds: () => boolean, word: string): Handler =>
  (_: HttpRequest, response: HttpResponse) => {
    const yes = holds();
    response
      .status(yes ? 200 : 503)
      .header('Cache-Control', 'no-store')
      .end(yes ? `${word}\n` : `not ${word}\n`);
  };

/** '/live' and '/ready', each 200 or 503. */
export function probesOf(asked: Asked): { '/live': Handler; '/ready': Handler } {
  return {
    '/live': probe(() => asked.isLive(), 'live'),
    '/ready': probe(() => asked.isReady(), 'ready'),
  };
}
