// Who asked, for the target: X-Forwarded-* and Forwarded (RFC 7239).
import { findHeader } from '../http/head.js';
import type { HttpRequest } from '../http/request.js';

export type ForwardedStyle = 'both' | 'x-forwarded' | 'forwarded' | 'none';
export const FORWARDED_STYLES: readonly ForwardedStyle[] = [
  ...(['both', 'x-forwarded', 'forwarded', 'none'] as const),
];

/** RFC 7239 section 6: an IPv6 address stands in brackets, and so in quotes. */
function node(address: string): string {
  return address.includes(':') ? `"[${address}]"` : address;
}

/** What stands in a quoted string has been parsed as a host before. */
const HOST = /^[\w.~:[\]-]+$/;

/**
 * The field lines. `trusted`: the peer is a proxy of ours, and what it says comes first.
 */
export function forwardedLines(
  request: HttpRequest,
  style: ForwardedStyle,
  trusted: boolean,
): string {
  if (style === 'none') return '';
  const address = request.remoteAddress ?? 'unknown';
  const proto = request.secure ? 'https' : 'http';
  const host = findHeader(request, 'host');
  if (trusted) return lines(request, style, true, address, proto, host);
  const isSame =
    last.address === address && last.host === host && last.proto === proto && last.style === style;
  if (!isSame) last = { address, host, proto, style, text: '' };
  last.text ||= lines(request, style, false, address, proto, host);
  return last.text;
}

/** Of the request before: most are of the same client, or at least of one that asked like it. */
let last = {
  ...{ address: '', host: undefined as string | undefined, proto: '', text: '' },
  style: 'none' as ForwardedStyle,
};

function lines(
  request: HttpRequest,
  style: ForwardedStyle,
  trusted: boolean,
  address: string,
  proto: string,
  host: string | undefined,
): string {
  let text = '';
  if (style !== 'forwarded') {
    const before = trusted ? findHeader(request, 'x-forwarded-for') : undefined;
    text += `x-forwarded-for: ${before === undefined ? '' : `${before}, `}${address}\r\n`;
    const said = trusted ? findHeader(request, 'x-forwarded-proto') : undefined;
    text += `x-forwarded-proto: ${said ?? proto}\r\n`;
    const named = (trusted ? findHeader(request, 'x-forwarded-host') : undefined) ?? host;
    if (named !== undefined) text += `x-forwarded-host: ${named}\r\n`;
  }
  if (style !== 'x-forwarded') {
    const before = trusted ? findHeader(request, 'forwarded') : undefined;
    const of = host !== undefined && HOST.test(host) ? `;host="${host}"` : '';
    text += `forwarded: ${before === undefined ? '' : `${before}, `}`;
    text += `for=${node(address)};proto=${proto}${of}\r\n`;
  }
  return text;
}
