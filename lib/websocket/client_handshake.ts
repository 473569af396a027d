// The opening handshake from the client's side: RFC 6455, section 4.1.
import { Buffer } from 'node:buffer';
import { crypto } from '../builtins.js';
import { RingpollError } from '../errors.js';
import { acceptOf, VERSION } from './accept.js';
import type { Goal } from './client_url.js';

const KEY_BYTES = 16;
/** Of the answer: more is no answer to a handshake. */
export const ANSWER_HEAD_BYTES_MAX = 16 * 1024;

export interface Asked {
  key: string;
  protocols: readonly string[];
  /** The value of Sec-WebSocket-Extensions; '' without. */
  offer: string;
  headers: Readonly<Record<string, string>>;
}

export interface Answer {
  /** The subprotocol that the server chose; '' for none. */
  protocol: string;
  /** The value of Sec-WebSocket-Extensions, as it came; '' for none. */
  extensions: string;
  /** All fields, names in lower case; several of one name are joined by ", ". */
  headers: Readonly<Record<string, string>>;
}

export function newKey(): string {
  return crypto().randomBytes(KEY_BYTES).toString('base64');
}

/** The head of the request. Fields of the user's have been checked before. */
export function requestHead(goal: Goal, asked: Asked): string {
  const lines = [
    `GET ${goal.target} HTTP/1.1`,
    `Host: ${goal.authority}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${asked.key}`,
    `Sec-WebSocket-Version: ${VERSION}`,
  ];
  if (asked.protocols.length > 0) {
    lines.push(`Sec-WebSocket-Protocol: ${asked.protocols.join(', ')}`);
  }
  if (asked.offer !== '') lines.push(`Sec-WebSocket-Extensions: ${asked.offer}`);
  if (goal.credentials !== undefined && !hasField(asked.headers, 'authorization')) {
    lines.push(`Authorization: Basic ${Buffer.from(goal.credentials).toString('base64')}`);
  }
  for (const [name, value] of Object.entries(asked.headers)) lines.push(`${name}: ${value}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function hasField(headers: Readonly<Record<string, string>>, wanted: string): boolean {
  return Object.keys(headers).some((name) => name.toLowerCase() === wanted);
}

/**
 * Reads the head of the answer, which ends in an empty line.
 * @throws RingpollError ERR_RINGPOLL_WEBSOCKET_HANDSHAKE
 */
export function readAnswer(head: string, asked: Asked): Answer {
  const [first, ...lines] = head.slice(0, -4).split('\r\n');
  const status = /^HTTP\/1\.1 (\d{3})(?: |$)/.exec(first)?.[1];
  if (status === undefined) throw refused('The answer is not HTTP/1.1');
  const headers = fieldsOf(lines);
  if (status !== '101') throw refused(`The server answered ${status}`, Number(status), headers);
  const wrong = (what: string) => refused(what, 101, headers);
  // RFC 6455, section 4.1, items 2 to 6 of what the client must check.
  if (headers.upgrade?.toLowerCase() !== 'websocket') throw wrong('The answer upgrades to another');
  if (!listOf(headers.connection).some((token) => token.toLowerCase() === 'upgrade')) {
    throw wrong('The answer does not upgrade the connection');
  }
  if (headers['sec-websocket-accept'] !== acceptOf(asked.key)) {
    throw wrong('The answer accepts another key');
  }
  const chosen = headers['sec-websocket-protocol'];
  if (chosen !== undefined && !asked.protocols.includes(chosen)) {
    throw wrong('The answer has a subprotocol that was not asked for');
  }
  if (chosen === undefined && asked.protocols.length > 0) {
    throw wrong('The answer has none of the subprotocols that were asked for');
  }
  const extensions = headers['sec-websocket-extensions'] ?? '';
  if (extensions !== '' && asked.offer === '') {
    throw wrong('The answer has an extension that was not asked for');
  }
  return { protocol: chosen ?? '', extensions, headers };
}

/** RFC 9110, section 5.5: visible characters, spaces and tabs, and bytes above ASCII. */
const FIELD = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*$/;

function fieldsOf(lines: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = Object.create(null);
  for (const line of lines) {
    const [, name, value] = FIELD.exec(line) ?? [];
    if (name === undefined) throw refused('The answer has a malformed field');
    const lowered = name.toLowerCase();
    const before = headers[lowered];
    headers[lowered] = before === undefined ? value : `${before}, ${value}`;
  }
  return headers;
}

const listOf = (value: string | undefined): string[] =>
  (value ?? '').split(',').map((token) => token.trim());

/** The handshake did not come about: `status` and `headers` are of the answer, if there was one. */
export class WebSocketHandshakeError extends RingpollError {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    message: string,
    status?: number,
    headers: Readonly<Record<string, string>> = {},
    options?: ErrorOptions,
  ) {
    super('ERR_RINGPOLL_WEBSOCKET_HANDSHAKE', message, options);
    this.name = 'WebSocketHandshakeError';
    this.status = status;
    this.headers = headers;
  }
}

function refused(
  message: string,
  status?: number,
  headers?: Readonly<Record<string, string>>,
): WebSocketHandshakeError {
  return new WebSocketHandshakeError(message, status, headers);
}
