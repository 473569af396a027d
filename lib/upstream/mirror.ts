// A copy of a request for another upstream, whose answer nobody waits for.
import { Exchange } from '../client/exchange.js';
import { findHeader } from '../http/head.js';
import type { HttpRequest } from '../http/request.js';
import { Ask } from '../runtime/protocol.js';
import type { Digest } from './comparison.js';
import { forwardedLines } from './forwarded.js';
import type { CheckedProxy } from './proxy_options.js';
import { askedFields, targetOf } from './request_target.js';
import type { Upstream } from './upstream.js';

const noTrailers = () => '';

/** `digest`: takes what the answer is. */
export function mirrorTo(
  upstream: Upstream,
  request: HttpRequest,
  checked: CheckedProxy,
  digest: Digest | undefined,
): void {
  const member = upstream._pick('', []);
  if (member === undefined) return;
  const { method } = request;
  const host = checked.host ?? findHeader(request, 'host') ?? '';
  const fields = askedFields(request);
  const told = forwardedLines(request, checked.forwarded, false);
  member.began();
  const startedMs = upstream._now;
  member.pool.dispatch(
    new Exchange({
      method,
      head: `${method} ${targetOf(request)} HTTP/1.1\r\nhost: ${host}\r\n${fields}${told}\r\n`,
      body: undefined,
      stream: undefined,
      declared: undefined,
      trailers: noTrailers,
      flags: method === 'HEAD' ? Ask.head : 0,
      headMs: upstream._headMs,
      bodyMs: upstream._bodyMs,
      repeatable: true,
      closes: false,
      informational: undefined,
      resolve: (answer) => {
        const nowMs = upstream._now;
        member.answered(nowMs, nowMs - startedMs, answer.status >= 500);
        upstream._judge(member);
        member.ended();
        if (digest === undefined) answer._discard();
        else digest.take(answer);
      },
      reject: () => {
        member.failed();
        upstream._judge(member);
        member.ended();
      },
    }),
  );
}
