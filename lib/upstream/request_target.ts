// What a request asks for, and its fields, in the form that origins take.
import { flagsOf, pathOf, queryOf } from '../http/head.js';
import type { HttpRequest } from '../http/request.js';
import { HeadFlag } from '../runtime/protocol.js';
import { endToEnd, endToEndOfHttp2, FORWARDED, fieldSet, REQUEST_LEFT } from './fields.js';

const LEFT = fieldSet([...REQUEST_LEFT, ...FORWARDED]);

/** The field lines that a target gets of a request, without those that `also` names. */
export function askedFields(request: HttpRequest, also?: ReadonlySet<string>): string {
  if (request._peer.http2) return endToEndOfHttp2(request, LEFT, also);
  return endToEnd(request, LEFT, also);
}

/** Path and query as they were sent; of an absolute URL only those. */
export function targetOf(request: HttpRequest): string {
  const form = flagsOf(request) & HeadFlag.targetMask;
  if (form !== HeadFlag.targetAbsolute) return request.url;
  const query = queryOf(request);
  return query === '' ? pathOf(request) : `${pathOf(request)}?${query}`;
}
