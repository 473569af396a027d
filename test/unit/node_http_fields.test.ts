// Header fields and heads of ringpoll/node-http, compared with those that node:http makes.
import http from 'node:http';
import { describe, expect, it } from 'vitest';
import { distinctOf, fieldsOf } from '../../lib/node_http/fields.js';
import { composeHead, OutFields } from '../../lib/node_http/head_text.js';

const names = [
  ...['Host', 'HOST', 'Cookie', 'cookie', 'Set-Cookie', 'set-cookie', 'Accept', 'accept'],
  ...['Content-Length', 'content-type', 'X-Forwarded-For', 'x-forwarded-for', 'Referer', 'ETag'],
  ...['constructor', '__proto__', 'toString', 'User-Agent', 'user-agent', 'X', 'x', 'Age', 'age'],
];

/** A random number that is the same in each run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state / 2 ** 32;
  };
}

interface Incoming {
  headers: object;
  headersDistinct: object;
  _addHeaderLines(raw: string[], length: number): void;
}

describe('fields of a request', () => {
  it.each([false, true])('are those of node:http, joined all: %s', (joinAll) => {
    const next = random(7);
    for (let round = 0; round < 300; round++) {
      const raw: string[] = [];
      for (let i = Math.floor(next() * 12); i > 0; i--) {
        raw.push(names[Math.floor(next() * names.length)]!, `v${Math.floor(next() * 9)}`);
      }
      const stock = new http.IncomingMessage(undefined as never);
      Object.assign(stock, { joinDuplicateHeaders: joinAll });
      const incoming = stock as unknown as Incoming;
      incoming._addHeaderLines(raw, raw.length);
      expect(fieldsOf(raw, joinAll)).toEqual(incoming.headers);
      expect(distinctOf(raw)).toEqual(incoming.headersDistinct);
    }
  });
});

interface Outgoing extends http.ServerResponse {
  _contentLength: number | null;
  _storeHeader(line: string, fields: unknown): void;
  _header: string;
}

const request = { method: 'GET', httpVersionMajor: 1, httpVersionMinor: 1, headers: {} };
const withoutDate = (text: string | undefined) => text?.replace(/Date: [^\r]*/, 'Date: now');

/** A response of Node's, whose head nothing has composed yet. */
function stockResponse(length: number | null): Outgoing {
  const response = new http.ServerResponse(request as never) as Outgoing;
  Object.assign(response, { _contentLength: length, _keepAliveTimeout: 5000 });
  return response;
}

describe('the head of a response', () => {
  it('is that of node:http, or left to node:http', () => {
    const next = random(11);
    const values = ['a', 'text/html', '', 3, 'ü', ['b', 'c'], '0'];
    let composed = 0;
    for (let round = 0; round < 500; round++) {
      const length = next() < 0.2 ? null : Math.floor(next() * 100);
      const [ours, stock] = [stockResponse(length), stockResponse(length)];
      const fields: Record<string, unknown> = {};
      const set = next() < 0.5;
      for (let i = Math.floor(next() * 5); i > 0; i--) {
        const name = names[Math.floor(next() * names.length)]!;
        if (name !== '__proto__') fields[name] = values[Math.floor(next() * values.length)];
      }
      if (next() < 0.3) fields['Content-Length'] = 12;
      if (next() < 0.1) fields.Connection = 'close';
      const entries = Object.entries(fields);
      const outFields = new OutFields();
      for (const [name, value] of entries) outFields[name.toLowerCase()] = [name, value];
      const text = composeHead(ours as never, 'HTTP/1.1 200 OK\r\n', set ? outFields : fields, set);
      if (text === undefined) continue;
      composed++;
      if (set) for (const [name, value] of entries) stock.setHeader(name, value as string);
      const symbols = Object.getOwnPropertySymbols(stock);
      const kept = symbols.find(({ description }) => description === 'kOutHeaders')!;
      const given = set ? (stock as unknown as Record<symbol, object>)[kept] : fields;
      stock._storeHeader('HTTP/1.1 200 OK\r\n', given);
      expect(withoutDate(text)).toBe(withoutDate(stock._header));
      expect(ours._contentLength).toBe(stock._contentLength);
    }
    expect(composed).toBeGreaterThan(100);
  });

  it('refuses what node:http refuses', () => {
    const head = (fields: object) => () =>
      composeHead(stockResponse(1) as never, 'HTTP/1.1 200 OK\r\n', fields, false);
    expect(head({ 'a b': 'c' })).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_HTTP_TOKEN' }),
    );
    expect(head({ a: 'b\r\nc: d' })).toThrow(expect.objectContaining({ code: 'ERR_INVALID_CHAR' }));
  });
});
