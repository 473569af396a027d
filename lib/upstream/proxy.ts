// proxy(): a request goes to a target of an upstream, and its answer to the client.
import { invalidArgType } from '../errors.js';
import type { HttpRequest } from '../http/request.js';
import type { HttpResponse } from '../http/response.js';
import { Comparison } from './comparison.js';
import { mirrorTo } from './mirror.js';
import { Passage } from './passage.js';
import { type CheckedProxy, checkProxy, type ProxyOptions } from './proxy_options.js';
import { Upstream } from './upstream.js';

const USUAL: ProxyOptions = {};
const known = new WeakMap<ProxyOptions, CheckedProxy>();

function checkedOf(options: ProxyOptions): CheckedProxy {
  let checked = known.get(options);
  if (checked === undefined) {
    checked = checkProxy(options);
    known.set(options, checked);
  }
  return checked;
}

/**
 * Sends a request on to a target, and the answer of the target back: both as streams, without what
 * belongs to one connection only. It answers in any case: 502 when no target gives a valid answer,
 * 503 when none is available or too much waits, 504 when the time is over, and 405 to CONNECT. An
 * upgrade is passed through, if the server has `upgrade: true`.
 *
 * Copies: two of a body in each direction, beside those of the kernel.
 * @param options looked at once: the same object for all requests is cheapest
 * @throws TypeError, RangeError ERR_RINGPOLL_INVALID_ARG_TYPE, _INVALID_ARG_VALUE, _OUT_OF_RANGE,
 *   _UNKNOWN_OPTION
 */
export function proxy(
  request: HttpRequest,
  response: HttpResponse,
  upstream: Upstream,
  options: ProxyOptions = USUAL,
): void {
  if (!(upstream instanceof Upstream)) throw invalidArgType('upstream', 'an Upstream', upstream);
  const checked = checkedOf(options);
  if (request.method === 'CONNECT') {
    // A tunnel leads to where the client says, which is no target.
    response.status(405).end();
    return;
  }
  const { mirror } = checked;
  let comparison: Comparison | undefined;
  if (mirror !== undefined && request._body === undefined && upstream._random < mirror.share) {
    const { differs } = mirror;
    if (differs !== undefined) comparison = new Comparison(request.method, request.url, differs);
    mirrorTo(mirror.upstream, request, checked, comparison?.shadow);
  }
  new Passage(request, response, upstream, checked, comparison).start();
}
