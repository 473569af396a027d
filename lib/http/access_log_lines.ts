// The lines of an access log: the common and the combined format of Apache, and JSON.

import { targetOf } from './head.js';
import { bytesOf } from './response_checks.js';
import type { Body } from './response_outlet.js';
import type { ResponseState } from './response_state.js';

export interface LogEntry {
  remote: string;
  /** When it was answered. */
  at: Date;
  method: string;
  target: string;
  version: string;
  status: number;
  /** Of the body, without its framing. */
  bytes: number;
  route: string;
  referer: string;
  userAgent: string;
  ms: number;
}

export type LogFormat = 'common' | 'combined' | 'json';

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
const two = (value: number) => String(value).padStart(2, '0');

/** As in 02/Jan/2026:03:04:05 +0000. */
function clf(at: Date): string {
  const day = `${two(at.getUTCDate())}/${MONTHS[at.getUTCMonth()]}/${at.getUTCFullYear()}`;
  const time = [at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()].map(two).join(':');
  return `${day}:${time} +0000`;
}

/** What peers send may neither end a field nor a line, nor steer a terminal. */
function quoted(text: string): string {
  if (text === '') return '"-"';
  const safe = text.replace(/[^\x20-\x7e]|["\\]/g, (each) => {
    if (each === '"' || each === '\\') return `\\${each}`;
    return `\\x${each.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return `"${safe}"`;
}

function common(entry: LogEntry): string {
  const { remote, at, method, target, version, status, bytes } = entry;
  const line = quoted(`${method} ${target} HTTP/${version}`);
  return `${remote || '-'} - - [${clf(at)}] ${line} ${status} ${bytes === 0 ? '-' : bytes}`;
}

const combined = (entry: LogEntry) =>
  `${common(entry)} ${quoted(entry.referer)} ${quoted(entry.userAgent)}`;

const json = ({ at, ms, ...entry }: LogEntry) =>
  JSON.stringify({ time: at.toISOString(), ...entry, ms: Number(ms.toFixed(3)) });

export const LINES: Record<LogFormat, (entry: LogEntry) => string> = { common, combined, json };

/** What a response says of itself; its request can still be read. */
export function contentOf(
  response: ResponseState,
  status: number,
  body: Body | undefined,
  ms: number,
): LogEntry {
  const { _request: request, _extras: extras } = response;
  const { address, path } = request._peer.remote;
  const bytes = body === undefined ? (extras?.sentLength ?? 0) : bytesOf(body);
  return {
    remote: address ?? (path === undefined ? '' : 'unix'),
    at: new Date(),
    method: request.method,
    target: targetOf(request),
    version: request.httpVersion,
    status,
    bytes: request._isHead || status === 204 || status === 304 ? 0 : bytes,
    route: request._route,
    referer: request.header('referer') ?? '',
    userAgent: request.header('user-agent') ?? '',
    ms,
  };
}
