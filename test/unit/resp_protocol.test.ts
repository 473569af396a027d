import { describe, expect, it } from 'vitest';
import { ProtocolError, RequestParser } from '../../examples/resp/protocol.mjs';
import { encode } from '../support/resp.js';

type Outcome = string[][] | string;

/** The requests in some pieces of input, or the message of the error that they end in. */
function parse(pieces: string[], limits = {}): { requests: string[][]; error?: string } {
  const parser = new RequestParser(limits);
  const requests: string[][] = [];
  try {
    for (const piece of pieces) {
      const bytes = Buffer.from(piece, 'latin1');
      parser.feed(bytes);
      for (let request = parser.next(); request !== null; request = parser.next()) {
        requests.push(Array.from({ length: request.count }, (_, index) => request.text(index)));
      }
      parser.keep();
      // What was fed is no longer the parser's to read.
      bytes.fill(0xee);
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { requests, error: error.message };
  }
  return { requests };
}

const allBytes = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte));

const cases: Record<string, { input: string; outcome: Outcome }> = {
  'one request': { input: encode('SET', 'key', 'value'), outcome: [['SET', 'key', 'value']] },
  'empty arguments': { input: encode('', '', 'x', ''), outcome: [['', '', 'x', '']] },
  'arguments of any bytes': { input: encode('ECHO', allBytes), outcome: [['ECHO', allBytes]] },
  'arguments that look like RESP': {
    input: encode('ECHO', '*1\r\n$4\r\nPING\r\n'),
    outcome: [['ECHO', '*1\r\n$4\r\nPING\r\n']],
  },
  'pipelined requests': {
    input: encode('GET', 'a') + encode('GET', 'b') + encode('PING'),
    outcome: [['GET', 'a'], ['GET', 'b'], ['PING']],
  },
  'inline requests': {
    input: 'PING\r\n SET  a\tb \nGET a\r\n',
    outcome: [['PING'], ['SET', 'a', 'b'], ['GET', 'a']],
  },
  'inline between arrays': {
    input: `${encode('GET', 'a')}PING x\r\n${encode('GET', 'b')}`,
    outcome: [
      ['GET', 'a'],
      ['PING', 'x'],
      ['GET', 'b'],
    ],
  },
  'requests for nothing': { input: '\r\n*0\r\n*-1\r\n\n', outcome: [[], [], [], []] },
  'double quotes': { input: 'ECHO "a \\x41\\n\\"\\q"\r\n', outcome: [['ECHO', 'a A\n"q']] },
  'single quotes': { input: "ECHO 'it\\'s \\n'\r\n", outcome: [['ECHO', "it's \\n"]] },
  'an empty word in quotes': { input: 'ECHO ""\r\n', outcome: [['ECHO', '']] },
  'quotes inside a word': { input: 'ECHO a"b c"\r\n', outcome: [['ECHO', 'ab c']] },
  'no count': { input: '*\r\n', outcome: 'invalid multibulk length' },
  'a count that is no number': { input: '*x\r\n', outcome: 'invalid multibulk length' },
  'a padded count': { input: '*01\r\n', outcome: 'invalid multibulk length' },
  'a count beyond the limit': { input: '*1048577\r\n', outcome: 'invalid multibulk length' },
  'a count of many digits': { input: `*${'1'.repeat(30)}`, outcome: 'invalid multibulk length' },
  'a count without a line feed': { input: '*1\rx', outcome: 'invalid multibulk length' },
  'something else than a bulk': { input: '*2\r\n:1\r\n', outcome: "expected '$', got ':'" },
  'no length': { input: '*1\r\n$\r\n', outcome: 'invalid bulk length' },
  'a length that is no number': { input: '*1\r\n$x\r\n', outcome: 'invalid bulk length' },
  'a negative length': { input: '*1\r\n$-1\r\n', outcome: 'invalid bulk length' },
  'a length beyond the limit': { input: '*1\r\n$67108865\r\n', outcome: 'invalid bulk length' },
  'a bulk longer than announced': {
    input: '*1\r\n$1\r\nabcd',
    outcome: 'expected CRLF after bulk',
  },
  'an open double quote': { input: 'ECHO "a\r\n', outcome: 'unbalanced quotes in request' },
  'an open single quote': { input: "ECHO 'a\r\n", outcome: 'unbalanced quotes in request' },
  'a quote closed within a word': {
    input: 'ECHO "a"b\r\n',
    outcome: 'unbalanced quotes in request',
  },
  'a good request before a bad one': {
    input: `${encode('PING')}*x\r\n`,
    outcome: 'invalid multibulk length',
  },
};

function expectOutcome(pieces: string[], outcome: Outcome): void {
  const { requests, error } = parse(pieces);
  if (typeof outcome === 'string') expect(error).toBe(`Protocol error: ${outcome}`);
  else expect({ requests, error }).toEqual({ requests: outcome, error: undefined });
}

describe('the request parser', () => {
  it.each(Object.entries(cases))('reads %s at every split', (_name, { input, outcome }) => {
    expectOutcome([input], outcome);
    expectOutcome([...input], outcome);
    for (let at = 1; at < input.length; at += 1) {
      expectOutcome([input.slice(0, at), input.slice(at)], outcome);
    }
  });

  it('reads a stream of requests cut in pieces of every size', () => {
    const words = Array.from({ length: 40 }, (_, n) => ['SET', `key:${n}`, 'v'.repeat(n * 7)]);
    const stream = words.map((list) => encode(...list)).join('');
    for (let size = 1; size < 200; size += 1) {
      const pieces = stream.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
      expect(parse(pieces).requests).toEqual(words);
    }
  });

  it('reads in place what lies whole in one piece', () => {
    const parser = new RequestParser();
    const bytes = Buffer.from(
      encode('GET', 'a') + encode('GET', 'b') + encode('GET', 'c').slice(0, 9),
    );
    parser.feed(bytes);
    expect(parser.next()?.bytes).toBe(bytes);
    expect(parser.next()?.bytes).toBe(bytes);
    expect(parser.next()).toBeNull();
    expect(parser.heldBytes).toBe(9);
  });

  it('copies no more of the next piece than the cut-off request lacks', () => {
    const parser = new RequestParser();
    const first = encode('SET', 'a', '0123456789');
    parser.feed(Buffer.from(first.slice(0, 27)));
    expect(parser.next()).toBeNull();
    parser.keep();
    const rest = Buffer.from(first.slice(27) + encode('GET', 'b'));
    parser.feed(rest);
    expect(parser.next()?.text(2)).toBe('0123456789');
    const request = parser.next();
    expect(request?.bytes).toBe(rest);
    expect(request?.text(1)).toBe('b');
    expect(parser.heldBytes).toBe(0);
  });

  it('can be stopped between two requests of one piece', () => {
    const parser = new RequestParser();
    const bytes = Buffer.from(encode('GET', 'a') + encode('GET', 'b') + encode('GET', 'c'));
    parser.feed(bytes);
    expect(parser.next()?.text(1)).toBe('a');
    parser.keep();
    bytes.fill(0);
    expect(parser.next()?.text(1)).toBe('b');
    parser.feed(Buffer.from(encode('GET', 'd')));
    expect(parser.next()?.text(1)).toBe('c');
    expect(parser.next()?.text(1)).toBe('d');
    expect(parser.next()).toBeNull();
  });

  it('takes time in proportion to a long request, however small its pieces', () => {
    const size = 8 * 1024 * 1024;
    const parser = new RequestParser();
    parser.feed(Buffer.from(`*2\r\n$4\r\nECHO\r\n$${size}\r\n`));
    parser.keep();
    const piece = Buffer.alloc(1024, 'x');
    for (let sent = 0; sent < size; sent += piece.length) {
      parser.feed(piece);
      expect(parser.next()).toBeNull();
      parser.keep();
    }
    parser.feed(Buffer.from('\r\n'));
    expect(parser.next()?.length(1)).toBe(size);
    expect(parser.heldBytes).toBe(0);
  });

  it('never hands out a view of received bytes as a value', () => {
    for (const size of [10, 5000]) {
      const parser = new RequestParser();
      const bytes = Buffer.from(encode('SET', 'a', 'x'.repeat(size)));
      parser.feed(bytes);
      const value = parser.next()?.value(2);
      bytes.fill(0);
      expect(value?.toString()).toBe('x'.repeat(size));
    }
  });
});

describe('the limits of the request parser', () => {
  const limits = { bulkBytes: 10, inlineBytes: 20, multibulkCount: 3, requestBytes: 40 };

  it('are the largest sizes that are taken', () => {
    expect(parse([encode('x'.repeat(10), 'a', 'b')], limits).requests).toHaveLength(1);
    expect(parse([`${'x'.repeat(20)}\n`], limits).requests).toEqual([['x'.repeat(20)]]);
  });

  it.each([
    ['bulkBytes', encode('x'.repeat(11)), 'invalid bulk length'],
    ['multibulkCount', encode('a', 'b', 'c', 'd'), 'invalid multibulk length'],
    ['inlineBytes', `${'x'.repeat(21)}\n`, 'too big inline request'],
    ['inlineBytes without an end', 'x'.repeat(21), 'too big inline request'],
  ])('hold at every split: %s', (_name, input, message) => {
    for (let at = 1; at < input.length; at += 1) {
      const { error } = parse([input.slice(0, at), input.slice(at)], limits);
      expect(error).toBe(`Protocol error: ${message}`);
    }
  });

  it('bound what a request that is cut off may gather', () => {
    const input = encode('x'.repeat(10), 'y'.repeat(10), 'z'.repeat(10));
    expect(parse([...input], limits).error).toBe('Protocol error: too big request');
  });
});
