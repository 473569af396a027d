// One request on its way to a target, and the answer on its way back.
import { AsyncResource } from 'node:async_hooks';
import type { BodySink } from '../client/body.js';
import { isObserved, observed } from '../client/diagnostics.js';
import { Exchange } from '../client/exchange.js';
import { RequestBodySource } from '../client/request_body.js';
import { isIdempotent } from '../client/request_head.js';
import type { ClientResponse } from '../client/response.js';
import { contentLengthOf, findHeader, flagsOf, hasHeader, headerId } from '../http/head.js';
import type { HttpRequest } from '../http/request.js';
import type { HttpResponse } from '../http/response.js';
import { extrasOf, ResponseFlag } from '../http/response_state.js';
import { Ask, Head, HeadFlag } from '../runtime/protocol.js';
import type { Chunk } from '../tcp/chunk.js';
import type { Canary } from './canary.js';
import type { Comparison, Digest } from './comparison.js';
import { endToEnd, fieldSet, RESPONSE_LEFT } from './fields.js';
import { forwardedLines } from './forwarded.js';
import type { Member } from './member.js';
import type { CheckedProxy } from './proxy_options.js';
import { askedFields, targetOf } from './request_target.js';
import { TIME_FIELDS, TimeLeft } from './time_left.js';
import { joinUpgraded } from './tunnel.js';
import type { Upstream } from './upstream.js';

const ANSWER_LEFT = fieldSet(RESPONSE_LEFT);
const DATE = headerId('date');
const SERVER = headerId('server');
const RETRY_AFTER_S = 1;

const noTrailers = () => '';
const NONE: readonly Member[] = [];

export class Passage implements BodySink {
  readonly #response: HttpResponse;
  readonly #stable: Upstream;
  readonly #checked: CheckedProxy;
  readonly #canary: Canary | undefined;
  readonly #digest: Digest | undefined;
  /** That of the canary's release, or #stable. */
  #upstream: Upstream;
  readonly #method: string;
  readonly #head: string;
  readonly #key: string;
  readonly #flags: number;
  readonly #stream: RequestBodySource | undefined;
  readonly #declared: number | undefined;
  #headMs: number;
  readonly #timeLeft: TimeLeft | undefined;
  /** The client waits for less than targets usually have. */
  #hurried = false;
  #tried: readonly Member[] = NONE;
  #attempts = 0;
  #member: Member | undefined = undefined;
  #exchange: Exchange | undefined = undefined;
  #answer: ClientResponse | undefined = undefined;
  #startedMs = 0;
  /** Grows with what the client is given, and with what it takes. */
  #passed = 0;
  /** Waits for the client to take what it was given. */
  #blocked = 0;
  readonly #path: string;
  /** What tells of a further attempt belongs to the same request. undefined: nobody listens. */
  readonly #scope = isObserved() ? new AsyncResource('RINGPOLL_PROXY') : undefined;

  constructor(
    request: HttpRequest,
    response: HttpResponse,
    upstream: Upstream,
    checked: CheckedProxy,
    comparison: Comparison | undefined,
  ) {
    this.#response = response;
    this.#stable = upstream;
    this.#checked = checked;
    this.#digest = comparison?.usual;
    const { canary } = checked;
    this.#canary = canary;
    this.#upstream = canary?._takes() ? canary.candidate : upstream;
    this.#method = request.method;
    const usesKeys = upstream._usesKeys || this.#upstream._usesKeys;
    this.#key = usesKeys ? (checked.key?.(request) ?? request.remoteAddress ?? '') : '';
    const flags = flagsOf(request);
    let ask = request._isHead ? Ask.head : 0;
    this.#path = targetOf(request);
    let text = `${this.#method} ${this.#path} HTTP/1.1\r\n`;
    if (checked.host === undefined) {
      const host = findHeader(request, 'host');
      text += `host: ${host ?? ''}\r\n`;
    } else {
      text += `host: ${checked.host}\r\n`;
    }
    this.#timeLeft = TimeLeft.of(request);
    text += askedFields(request, this.#timeLeft === undefined ? undefined : TIME_FIELDS);
    text += forwardedLines(request, checked.forwarded, checked.trustForwarded);
    if (request._body !== undefined) {
      ask |= Ask.sending;
      this.#stream = new RequestBodySource(request.stream()[Symbol.asyncIterator]());
      this.#declared = flags & HeadFlag.contentLength ? contentLengthOf(request) : undefined;
      text +=
        this.#declared === undefined
          ? 'transfer-encoding: chunked\r\n'
          : `content-length: ${this.#declared}\r\n`;
    } else if (flags & HeadFlag.contentLength) {
      text += 'content-length: 0\r\n';
    }
    const upgrade = flags & HeadFlag.upgrade ? findHeader(request, 'upgrade') : undefined;
    if (upgrade !== undefined) {
      ask |= Ask.upgrade;
      text += `connection: upgrade\r\nupgrade: ${upgrade}\r\n`;
    }
    this.#head = text;
    this.#flags = ask;
    this.#headMs = checked.timeoutMs ?? this.#upstream._headMs;
  }

  start(): void {
    const leftMs = this.#timeLeft?.ms;
    if (leftMs === 0) {
      this.#refuse(504);
      return;
    }
    const headMs = shorter(this.#headMs, leftMs);
    this.#hurried = headMs !== this.#headMs;
    const lines = leftMs === undefined ? '' : this.#timeLeft?.lines(leftMs);
    let member = this.#upstream._pick(this.#key, this.#tried);
    if (member === undefined && this.#isCandidates) {
      this.#upstream = this.#stable;
      member = this.#upstream._pick(this.#key, this.#tried);
    }
    if (member === undefined) {
      this.#refuse(503);
      return;
    }
    this.#member = member;
    this.#attempts++;
    const target = { origin: member.origin, path: this.#path };
    const asking = {
      head: `${this.#head}${lines}\r\n`,
      forwarded: true,
      resolve: (answer: ClientResponse) => this.#answered(answer),
      reject: (error: unknown) => this.#failed(error),
    };
    const tell = () => observed(this.#method, target, asking);
    const { head, resolve, reject } = this.#scope?.runInAsyncScope(tell) ?? asking;
    const exchange = new Exchange({
      method: this.#method,
      head,
      body: undefined,
      stream: this.#stream,
      declared: this.#declared,
      trailers: noTrailers,
      flags: this.#flags,
      headMs,
      bodyMs: this.#upstream._bodyMs,
      repeatable: isIdempotent(this.#method),
      closes: false,
      informational: undefined,
      resolve,
      reject,
    });
    this.#exchange = exchange;
    this.#startedMs = this.#upstream._now;
    member.began();
    if (this.#attempts === 1) this.#response._whenLeft((half) => this.#left(half));
    // The client may have gone, which ends it.
    if (this.#exchange === exchange) member.pool.dispatch(exchange);
  }

  /** The target is done with it. */
  #leave(): void {
    const member = this.#member;
    this.#member = this.#exchange = undefined;
    member?.ended();
  }

  #left(half: boolean): void {
    if (half && this.#checked.halfCloseMs > 0) this.#awaitProgress();
    else this.#gone();
  }

  /**
   * A client that has ended its side waits for the answer, or has closed its socket. One that is
   * gone resets the connection when it gets bytes, so only silence has to end.
   */
  #awaitProgress(): void {
    const before = this.#passed;
    const look = () => {
      if (this.#member === undefined) return;
      if (this.#passed === before && this.#blocked === 0) this.#gone();
      else this.#awaitProgress();
    };
    setTimeout(look, this.#checked.halfCloseMs).unref();
  }

  /** The client has left: the target need not go on. */
  #gone(): void {
    const exchange = this.#exchange;
    const answer = this.#answer;
    this.#leave();
    this.#answer = undefined;
    if (answer !== undefined) answer._body?.drop();
    else if (exchange?.carrier !== undefined) exchange.carrier.abandon(exchange, GONE);
    else exchange?.fail(GONE);
    const response = this.#response;
    if (!response.ended && response._first) response._outlet.breakOff(response);
  }

  #answered(answer: ClientResponse): void {
    const member = this.#member;
    if (member === undefined || this.#response.headersSent) {
      // The client has gone, or got the answer that its own fault deserves.
      this.#leave();
      answer.cancel();
      return;
    }
    const { status } = answer;
    const nowMs = this.#upstream._now;
    const tookMs = nowMs - this.#startedMs;
    member.answered(nowMs, tookMs, status >= 500);
    this.#upstream._judge(member);
    this.#canary?._answered(this.#isCandidates, tookMs, status >= 500);
    const mayKnow = this.#isCandidates || this.#checked.retryOn.includes(status);
    if (status >= 500 && mayKnow && this.#mayRetry(member, false)) {
      answer._discard();
      this.#again(member);
      return;
    }
    const response = this.#response;
    this.#digest?.head(status, answer.header('content-type'));
    response._status = status;
    response._fields = endToEnd(answer, ANSWER_LEFT);
    if (hasHeader(answer, DATE)) response._flags |= ResponseFlag.ownDate;
    if (hasHeader(answer, SERVER)) response._flags |= ResponseFlag.ownServer;
    if (status === 101) this.#switch(answer);
    else if (answer._along >= 0) this.#endWith(answer);
    else this.#streamFrom(answer);
  }

  get #isCandidates(): boolean {
    return this.#upstream !== this.#stable;
  }

  #switch(answer: ClientResponse): void {
    const upgrade = answer.header('upgrade');
    this.#response._fields += `connection: upgrade\r\n`;
    if (upgrade !== undefined) this.#response._fields += `upgrade: ${upgrade}\r\n`;
    this.#response._whenLeft(undefined);
    this.#leave();
    try {
      joinUpgraded(this.#response, answer, this.#checked.tunnelMs);
    } catch {
      // The server does not let requests be upgraded, or others are not answered yet.
      if (answer._tunnel !== undefined) answer.upgrade({ data() {} }).destroy();
      this.#refuse(502);
    }
  }

  /** All of it is here. */
  #endWith(answer: ClientResponse): void {
    const response = this.#response;
    const { _slab: slab, _words: words, _at: at, _along: length } = answer;
    answer._used = answer._over = true;
    this.#leave();
    const declares = response._request._isHead && flagsOf(answer) & HeadFlag.contentLength;
    if (declares) extrasOf(response).declaredLength = contentLengthOf(answer);
    if (length === 0) {
      this.#digest?.end();
      response.end(declares ? undefined : EMPTY);
      return;
    }
    const start = answer._offset + words[at + Head.length];
    const bytes = slab.subarray(start, start + length);
    if (this.#digest !== undefined) {
      this.#digest.add(bytes);
      this.#digest.end();
    }
    response.end(bytes);
  }

  #streamFrom(answer: ClientResponse): void {
    const response = this.#response;
    this.#answer = answer;
    if (flagsOf(answer) & HeadFlag.contentLength) {
      extrasOf(response).declaredLength = contentLengthOf(answer);
    }
    response.flushHead();
    answer._give(this);
  }

  data(chunk: Chunk): void {
    const response = this.#response;
    if (this.#answer === undefined) return;
    this.#digest?.add(chunk.bytes);
    this.#passed += chunk.length;
    if (response.write(chunk.bytes)) return;
    const answer = this.#answer;
    answer?.pause();
    this.#blocked++;
    response.drained().then(
      () => {
        this.#blocked--;
        this.#passed++;
        answer?.resume();
      },
      () => {},
    );
  }

  end(): void {
    const answer = this.#answer;
    if (answer === undefined) return;
    this.#answer = undefined;
    this.#digest?.end();
    this.#leave();
    for (const [name, value] of Object.entries(answer.trailers)) {
      this.#response.trailer(name, value);
    }
    this.#response.end();
  }

  /** The answer broke off: the client must not take a part for the whole. */
  fail(): void {
    if (this.#answer === undefined) return;
    this.#answer = undefined;
    if (this.#member !== undefined) this.#blame(this.#member);
    this.#leave();
    this.#response._outlet.breakOff(this.#response);
  }

  #failed(error: unknown): void {
    const member = this.#member;
    if (member === undefined) return; // the client has gone
    const { code, syscall, phase } = error as { code?: string; syscall?: string; phase?: string };
    const isBusy = code === 'ERR_RINGPOLL_CLIENT_BUSY';
    const isPeers = code === 'ERR_RINGPOLL_HTTP_ABORTED' || code?.startsWith('ERR_RINGPOLL_HTTP_');
    // A client in a hurry says nothing of the target: else it could have them all ejected.
    if (!isBusy && !isPeers && !(this.#hurried && phase !== undefined)) {
      this.#blame(member);
    }
    const unsent = isBusy || syscall === 'connect' || code === 'ERR_RINGPOLL_CONNECT_TIMEOUT';
    if (!isPeers && phase === undefined && this.#mayRetry(member, unsent)) {
      this.#again(member);
      return;
    }
    this.#leave();
    const isLate = phase !== undefined || code === 'ERR_RINGPOLL_CONNECT_TIMEOUT';
    this.#refuse(isBusy ? 503 : isLate ? 504 : 502);
  }

  /** It has failed, for all that judge targets. */
  #blame(member: Member): void {
    member.failed();
    this.#upstream._judge(member);
    this.#canary?._answered(this.#isCandidates, this.#upstream._now - this.#startedMs, true);
  }

  /** `unsent`: no target has seen it, so that it may be sent whatever it is. */
  #mayRetry(_member: Member, unsent: boolean): boolean {
    if (this.#attempts >= this.#checked.attempts || this.#stream?.begun) return false;
    return unsent || isIdempotent(this.#method);
  }

  #again(member: Member): void {
    this.#tried = [...this.#tried, member];
    this.#leave();
    if (this.#isCandidates) {
      this.#upstream = this.#stable;
      this.#headMs = this.#checked.timeoutMs ?? this.#stable._headMs;
    }
    this.start();
  }

  #refuse(status: 502 | 503 | 504): void {
    const response = this.#response;
    if (response.headersSent) return;
    this.#stream?.cancel(undefined);
    response._fields = '';
    response.status(status);
    if (status === 503) response.header('Retry-After', RETRY_AFTER_S);
    response.header('Content-Type', 'text/plain').end(TEXTS[status]);
  }
}

const EMPTY = new Uint8Array(0);
const GONE = new Error('The client has gone');
const TEXTS = { 502: 'Bad Gateway\n', 503: 'Service Unavailable\n', 504: 'Gateway Timeout\n' };

const MS_MAX = 2 ** 31 - 1;

/** `ms` of 0 is no limit. Nobody needs an answer that comes when the client waits no more. */
function shorter(ms: number, leftMs: number | undefined): number {
  if (leftMs === undefined) return ms;
  return Math.min(leftMs, ms === 0 ? MS_MAX : ms);
}
