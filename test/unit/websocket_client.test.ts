// The parts of a WebSocket client that need no network: URLs, the handshake, and reconnection.
import { describe, expect, it } from 'vitest';
import { readAnswer, requestHead } from '../../lib/websocket/client_handshake.js';
import { goalOf } from '../../lib/websocket/client_url.js';
import { checkReconnect, delayBefore } from '../../lib/websocket/reconnection.js';

// RFC 6455, section 1.3.
const key = 'dGhlIHNhbXBsZSBub25jZQ==';
const accept = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
const asked = { key, protocols: ['chat', 'echo'], offer: 'permessage-deflate', headers: {} };
const answer = (...lines: string[]) => `${lines.join('\r\n')}\r\n\r\n`;
const FIRST = 'HTTP/1.1 101 Switching Protocols';
const good = [FIRST, 'Upgrade: WebSocket', 'Connection: keep-alive, Upgrade'];
const full = [...good, `Sec-WebSocket-Accept: ${accept}`, 'Sec-WebSocket-Protocol: echo'];

describe('a URL', () => {
  it('says where to connect, and what to ask for', () => {
    expect(goalOf('ws://example.org/a b?c=d')).toMatchObject({
      ...{ host: 'example.org', port: 80, authority: 'example.org' },
      ...{ target: '/a%20b?c=d', href: 'ws://example.org/a%20b?c=d', credentials: undefined },
    });
    expect(goalOf(new URL('http://u:p%40@[::1]:8443/'))).toMatchObject({
      ...{ host: '::1', port: 8443, authority: '[::1]:8443', target: '/', credentials: 'u:p@' },
      href: 'ws://u:p%40@[::1]:8443/',
    });
  });

  it('says that TLS is meant, and its port', () => {
    for (const url of ['wss://example.org/', 'https://example.org:443/']) {
      expect(goalOf(url)).toMatchObject({
        ...{ secure: true, host: 'example.org', port: 443, authority: 'example.org' },
        href: 'wss://example.org/',
      });
    }
    expect(goalOf('ws://example.org/').secure).toBe(false);
  });

  it.each(['/relative', 'ftp://example.org/', 'ws://example.org/#here', 'ws://example.org/#', ''])(
    '%j is refused',
    (url) => {
      expect(() => goalOf(url)).toThrow(
        expect.objectContaining({ code: 'ERR_RINGPOLL_INVALID_ARG_VALUE' }),
      );
    },
  );
});

describe('the request', () => {
  it('has what RFC 6455 wants, and what the user adds', () => {
    const goal = goalOf('ws://foo:bar@example.org:8080/path');
    const head = requestHead(goal, { ...asked, headers: { Origin: 'http://here' } });
    expect(head.split('\r\n')).toEqual([
      'GET /path HTTP/1.1',
      'Host: example.org:8080',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Key: ${key}`,
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Protocol: chat, echo',
      'Sec-WebSocket-Extensions: permessage-deflate',
      'Authorization: Basic Zm9vOmJhcg==',
      'Origin: http://here',
      '',
      '',
    ]);
  });
});

describe('the answer', () => {
  it('is taken when all that must be there is', () => {
    const lines = [...full, 'Set-Cookie: a=1', 'set-cookie: b=2'];
    expect(readAnswer(answer(...lines), asked)).toMatchObject({
      protocol: 'echo',
      extensions: '',
      headers: { 'set-cookie': 'a=1, b=2' },
    });
  });

  const without = (name: string) => full.filter((line) => !line.startsWith(name));
  it.each([
    ['another status', ['HTTP/1.1 403 Forbidden', 'Content-Length: 0'], 403],
    ['another version', ['HTTP/1.0 101 Switching', ...full.slice(1)], undefined],
    ['no HTTP', ['FOO BAR BAZ'], undefined],
    ['no Upgrade', without('Upgrade'), 101],
    ['another Upgrade', [...without('Upgrade'), 'Upgrade: h2c'], 101],
    ['no Connection', without('Connection'), 101],
    ['no accept', without('Sec-WebSocket-Accept'), 101],
    ['another accept', [...without('Sec-WebSocket-Accept'), 'Sec-WebSocket-Accept: x'], 101],
    ['no subprotocol', without('Sec-WebSocket-Protocol'), 101],
    ['a foreign one', [...without('Sec-WebSocket-Protocol'), 'Sec-WebSocket-Protocol: x'], 101],
    ['a field that is none', [...full, 'no colon'], undefined],
    ['a folded field', [...full, ' more'], undefined],
  ])('is refused with %s', (_what, lines, status) => {
    expect(() => readAnswer(answer(...lines), asked)).toThrow(
      expect.objectContaining({ code: 'ERR_RINGPOLL_WEBSOCKET_HANDSHAKE', status }),
    );
  });

  it('is refused with an extension that was not asked for', () => {
    const lines = [...full, 'Sec-WebSocket-Extensions: permessage-deflate'];
    expect(() => readAnswer(answer(...lines), { ...asked, offer: '' })).toThrow('extension');
  });
});

describe('reconnection', () => {
  it('waits exponentially longer, from 1 to 30 s, and half of it is left to chance', () => {
    const policy = checkReconnect(true)!;
    const longest = Array.from({ length: 8 }, (_, failed) => delayBefore(policy, failed, 0));
    expect(longest).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    expect(delayBefore(policy, 2, 0.999_999)).toBe(2001);
    expect(delayBefore(policy, 5000, 0.5)).toBe(22_500);
  });

  it('follows a lost connection, and not one that was meant to end', () => {
    const { when } = checkReconnect({})!;
    expect([1001, 1005, 1006, 1011, 1012, 1013].filter((code) => !when(code))).toEqual([]);
    expect([1000, 1002, 1003, 1007, 1008, 1009, 3000, 4999].filter(when)).toEqual([]);
  });

  it('is off by default, and refuses options that make no sense', () => {
    expect(checkReconnect(undefined)).toBeUndefined();
    expect(checkReconnect(false)).toBeUndefined();
    for (const wrong of [5, { minDelay: -1 }, { factor: 0 }, { jitter: 2 }, { delay: 1 }]) {
      expect(() => checkReconnect(wrong)).toThrow(/reconnect/);
    }
  });
});
