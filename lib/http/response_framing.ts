// How a response's head says where its body ends, and how the body is sent (RFC 9112 section 6).
import { HeadFlag, RESPOND_TEMPLATE_SHIFT, Respond } from '../runtime/protocol.js';
import { mustCloseAfter } from './body.js';
import { flagsOf } from './head.js';
import { bytesOf } from './response_checks.js';
import { TYPE_LENGTH_MAX } from './response_fields.js';
import type { Body } from './response_outlet.js';
import { NOT_DECLARED, ResponseFlag, type ResponseState } from './response_state.js';
import { HeadVariant } from './templates.js';

const COMMAND_LENGTH_MAX = 2 ** 31 - 1;

/** False: 204, 304, or the answer to HEAD. */
export function bodyAllowed({ _status: status, _request: request }: ResponseState): boolean {
  return status !== 204 && status !== 304 && !request._isHead;
}

/** How the head of a response differs from the plain one, by its flags and the request's. */
function variantOf(flags: number, requested: number): number {
  let variant: number = HeadVariant.plain;
  if (flags & ResponseFlag.close) variant = HeadVariant.close;
  else if (!(requested & HeadFlag.version11)) variant = HeadVariant.keepAlive;
  if (flags & ResponseFlag.ownDate) variant |= HeadVariant.ownDate;
  if (flags & ResponseFlag.ownServer) variant |= HeadVariant.ownServer;
  return variant;
}

/** The head's word for native code; decides whether the connection stays. */
function headWord(response: ResponseState, closing: boolean): number {
  const { _outlet: outlet, _status: status, _type: type } = response;
  const requested = flagsOf(response._request);
  const given = closing || response._flags & (ResponseFlag.close | ResponseFlag.untilClose);
  if (given || !outlet.keepsAlive(requested, response)) response._flags |= ResponseFlag.close;
  const variant = variantOf(response._flags, requested);
  const isShort = type.length <= TYPE_LENGTH_MAX;
  let number = isShort ? outlet.templates.find(status, variant, type) : -1;
  if (number < 0) {
    response._fields = `Content-Type: ${type}\r\n${response._fields}`;
    number = outlet.templates.find(status, variant, '');
  }
  return number << RESPOND_TEMPLATE_SHIFT;
}

/** Head and body of a response that was not begun before its end. */
export function sendWhole(response: ResponseState, body: Body | undefined): void {
  const { _outlet: outlet, _request: request, _status: status } = response;
  outlet.meter?.heading?.(response);
  outlet.meter?.answered(response, body);
  const closing = request._body !== undefined && mustCloseAfter(request._body, flagsOf(request));
  const head = headWord(response, closing) | Respond.last;
  if (bodyAllowed(response)) {
    outlet.respond(head, response._fields, body ?? '');
  } else if (status === 204 || status === 304) {
    outlet.respondHead(head | Respond.noLength, response._fields, 0);
  } else {
    // To HEAD; what a body would have had is known only to who gives one, or says it.
    const declared = response._extras?.declaredLength ?? NOT_DECLARED;
    const known = declared >= 0 || body !== undefined;
    const framing = known ? 0 : Respond.noLength;
    const length = declared >= 0 ? declared : bytesOf(body);
    outlet.respondHead(head | framing, response._fields, length);
  }
}

/** The head of a response whose body comes in pieces. */
export function sendHead(response: ResponseState): void {
  response._flags |= ResponseFlag.headOut;
  response._outlet.meter?.heading?.(response);
  const declared = response._extras?.declaredLength ?? NOT_DECLARED;
  let noLength = 0;
  if (response._status === 204 || response._status === 304) {
    noLength = Respond.noLength;
  } else if (declared > COMMAND_LENGTH_MAX) {
    noLength = Respond.noLength;
    response._fields += `Content-Length: ${declared}\r\n`;
  } else if (declared < 0) {
    noLength = Respond.noLength;
    frameUnknownLength(response);
  }
  const head = headWord(response, false) | noLength;
  response._outlet.respondHead(head, response._fields, Math.max(0, declared));
}

/** RFC 9112 section 6. */
function frameUnknownLength(response: ResponseState): void {
  if (response._outlet.http2) return;
  if (flagsOf(response._request) & HeadFlag.version11) {
    if (!response._request._isHead) response._flags |= ResponseFlag.chunked;
    response._fields += 'Transfer-Encoding: chunked\r\n';
  } else {
    response._flags |= ResponseFlag.untilClose;
  }
}

/** A piece of `length` bytes of the first response's body. */
export function sendPiece(response: ResponseState, data: Body, length: number): void {
  const outlet = response._outlet;
  if (!(response._flags & ResponseFlag.chunked)) {
    outlet.send(data);
  } else if (typeof data === 'string') {
    outlet.send(`${length.toString(16)}\r\n${data}\r\n`);
  } else {
    outlet.send(`${length.toString(16)}\r\n`);
    outlet.send(data);
    outlet.send('\r\n');
  }
}

/** The end of a body that came in pieces. */
export function sendEnd(response: ResponseState): void {
  const trailers = response._extras?.trailers ?? '';
  if (response._flags & ResponseFlag.chunked) {
    response._outlet.send(Buffer.from(`0\r\n${trailers}\r\n`, 'latin1'));
  }
  response._outlet.meter?.answered(response);
  response._outlet.done(trailers);
}
