// What a request asks for, in the form that origins take.
import { flagsOf, pathOf, queryOf } from '../http/head.js';
import type { HttpRequest } from '../http/request.js';
import { HeadFlag } from '../runtime/protocol.js';

/** Path and query as they were sent; of an absolute URL only those. */
export function targetOf(request: HttpRequest): string {
  const form = flagsOf(request) & HeadFlag.targetMask;
  if (form !== HeadFlag.targetAbsolute) return request.url;
  const query = queryOf(request);
  return query === '' ? pathOf(request) : `${pathOf(request)}?${query}`;
}
