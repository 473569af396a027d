// permessage-deflate (RFC 7692): what is offered, what is accepted, and what was agreed on.
import { boolean, integer } from '../checks.js';
import { invalidArgType } from '../errors.js';
import { checkOptions, optionNames } from '../option_names.js';
import { native } from '../runtime/native.js';
import { TOKEN } from '../token.js';

export interface DeflateOptions {
  /** Messages of fewer bytes are not compressed. Default: 1,024. */
  threshold?: number;
  /** 0 to 9: how much time goes into it. Default: 6. */
  level?: number;
  /** 1 to 9: memory of a compressor; 8 takes 128 KB of hash tables. Default: 8. */
  memLevel?: number;
  /**
   * A compressor for each connection, which remembers what it has sent (context takeover): better
   * ratios for some 270 KB a connection. Default: false: one for the loop, which remembers nothing.
   */
  dedicated?: boolean;
  /** 9 to 15: the base 2 logarithm of the window that we compress with at most. Default: 15. */
  maxWindowBits?: number;
}

export interface Deflate {
  threshold: number;
  level: number;
  memLevel: number;
  dedicated: boolean;
  maxWindowBits: number;
}

/** What both sides keep to. */
export interface Agreed {
  serverNoContextTakeover: boolean;
  clientNoContextTakeover: boolean;
  serverMaxWindowBits: number;
  clientMaxWindowBits: number;
}

const OPTIONS = optionNames<DeflateOptions>('perMessageDeflate', {
  threshold: true,
  level: true,
  memLevel: true,
  dedicated: true,
  maxWindowBits: true,
});

const EXTENSION = 'permessage-deflate';
const WINDOW_BITS_MAX = 15;
const WINDOW_BITS_MIN = 8;
const OURS_MIN = 9; // zlib makes no raw deflate of 8
const THRESHOLD = 1024;
const THRESHOLD_MAX = 2 ** 30;
/** Offers that are looked at: more in one request are not taken seriously. */
const OFFERS_MAX = 16;

/** Undefined: no compression. */
export function checkDeflate(value: unknown, path: string): Deflate | undefined {
  if (value === undefined || value === false) return undefined;
  const given = value === true ? {} : (value as DeflateOptions);
  if (typeof given !== 'object' || given === null) {
    throw invalidArgType(path, 'a boolean or an object', value);
  }
  checkOptions(OPTIONS, given, path);
  const whole = (name: 'threshold' | 'level' | 'memLevel' | 'maxWindowBits', ...range: Range) =>
    integer(`${path}.${name}`, given[name], ...range);
  const deflate = {
    threshold: whole('threshold', 0, THRESHOLD_MAX, THRESHOLD),
    level: whole('level', 0, 9, 6),
    memLevel: whole('memLevel', 1, 9, 8),
    dedicated: boolean(`${path}.dedicated`, given.dedicated, false),
    maxWindowBits: whole('maxWindowBits', OURS_MIN, WINDOW_BITS_MAX, WINDOW_BITS_MAX),
  };
  // Without zlib's functions nothing is compressed, as with a peer that cannot.
  return native().webSocketDeflateReason() === '' ? deflate : undefined;
}
type Range = [min: number, max: number, otherwise: number];

type Parameters = Map<string, string | true>;

/** The value of Sec-WebSocket-Extensions, taken apart; undefined: malformed. */
function parse(value: string): { name: string; parameters: Parameters }[] | undefined {
  const found = [];
  for (const part of splitOutsideQuotes(value, ',').slice(0, OFFERS_MAX)) {
    const [name, ...rest] = splitOutsideQuotes(part, ';').map((piece) => piece.trim());
    if (!TOKEN.test(name)) return undefined;
    const parameters: Parameters = new Map();
    for (const piece of rest) {
      const [, key, quoted, plain] = PARAMETER.exec(piece) ?? [];
      // RFC 7692, section 7: a parameter that is there twice makes the element invalid.
      if (key === undefined || parameters.has(key)) return undefined;
      parameters.set(key, quoted ?? plain ?? true);
    }
    found.push({ name, parameters });
  }
  return found;
}

const PARAMETER = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)(?:\s*=\s*(?:"([^"\\]*)"|([^\s"]+)))?$/;

function splitOutsideQuotes(text: string, by: string): string[] {
  const parts = [];
  let from = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '"') quoted = !quoted;
    else if (text[i] === by && !quoted) {
      parts.push(text.slice(from, i));
      from = i + 1;
    }
  }
  parts.push(text.slice(from));
  return parts;
}

const FLAGS = ['server_no_context_takeover', 'client_no_context_takeover'];
const WINDOWS = ['server_max_window_bits', 'client_max_window_bits'];

function bitsOf(value: string | true | undefined, otherwise: number): number | undefined {
  if (value === undefined) return otherwise;
  if (value === true || !/^(?:[89]|1[0-5])$/.test(value)) return undefined;
  const bits = Number(value);
  return bits >= WINDOW_BITS_MIN && bits <= WINDOW_BITS_MAX ? bits : undefined;
}

function isKnown(parameters: Parameters): boolean {
  for (const [key, value] of parameters) {
    if (FLAGS.includes(key) ? value !== true : !WINDOWS.includes(key)) return false;
  }
  return true;
}

/**
 * A server's answer to what a client offers: the first offer that can be met, or undefined.
 * RFC 7692, section 7.1: what the client asks of the server is met, or the offer is declined.
 */
export function acceptOffer(
  offers: string,
  deflate: Deflate,
): { answer: string; agreed: Agreed } | undefined {
  for (const { name, parameters } of parse(offers) ?? []) {
    if (name !== EXTENSION || !isKnown(parameters)) continue;
    const server = bitsOf(parameters.get('server_max_window_bits'), WINDOW_BITS_MAX);
    const given = parameters.get('client_max_window_bits');
    const client = bitsOf(given === true ? undefined : given, WINDOW_BITS_MAX);
    if (server === undefined || client === undefined) continue;
    const agreed = {
      serverNoContextTakeover: !deflate.dedicated || parameters.has(FLAGS[0]),
      clientNoContextTakeover: !deflate.dedicated || parameters.has(FLAGS[1]),
      serverMaxWindowBits: Math.min(server, deflate.maxWindowBits),
      clientMaxWindowBits: client,
    };
    const asked = parameters.has('server_max_window_bits');
    return { answer: answerOf(agreed, asked, given !== undefined && client < 15), agreed };
  }
  return undefined;
}

function answerOf(agreed: Agreed, serverBits: boolean, clientBits: boolean): string {
  const parts = [EXTENSION];
  if (agreed.serverNoContextTakeover) parts.push(FLAGS[0]);
  if (agreed.clientNoContextTakeover) parts.push(FLAGS[1]);
  const { serverMaxWindowBits, clientMaxWindowBits } = agreed;
  if (serverBits || serverMaxWindowBits < WINDOW_BITS_MAX) {
    parts.push(`${WINDOWS[0]}=${serverMaxWindowBits}`);
  }
  if (clientBits) parts.push(`${WINDOWS[1]}=${clientMaxWindowBits}`);
  return parts.join('; ');
}

/** What a client offers. */
export function offerOf(deflate: Deflate): string {
  const parts = [EXTENSION];
  if (!deflate.dedicated) parts.push(FLAGS[0], FLAGS[1]);
  const { maxWindowBits } = deflate;
  parts.push(maxWindowBits < WINDOW_BITS_MAX ? `${WINDOWS[1]}=${maxWindowBits}` : WINDOWS[1]);
  return parts.join('; ');
}

/**
 * What a server's answer to offerOf() agrees to; undefined: no compression.
 * @throws Error when the answer is not one that may be given to that offer
 */
export function readAgreement(answer: string, deflate: Deflate): Agreed | undefined {
  if (answer === '') return undefined;
  const found = parse(answer);
  const [first, second] = found ?? [];
  if (first === undefined || second !== undefined || first.name !== EXTENSION) {
    throw new Error('The answer has an extension that was not asked for');
  }
  const { parameters } = first;
  const server = bitsOf(parameters.get('server_max_window_bits'), WINDOW_BITS_MAX);
  const client = bitsOf(parameters.get('client_max_window_bits'), WINDOW_BITS_MAX);
  const wanted = deflate.dedicated || parameters.has(FLAGS[0]);
  if (!isKnown(parameters) || server === undefined || client === undefined || !wanted) {
    throw new Error('The answer changes permessage-deflate in a way that was not offered');
  }
  return {
    serverNoContextTakeover: parameters.has(FLAGS[0]),
    clientNoContextTakeover: !deflate.dedicated || parameters.has(FLAGS[1]),
    serverMaxWindowBits: server,
    clientMaxWindowBits: Math.min(client, deflate.maxWindowBits),
  };
}
