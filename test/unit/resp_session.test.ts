import { describe, expect, it } from 'vitest';
import { bulk, encode, TestClient } from '../support/resp.js';

const pong = '+PONG\r\n';

describe('a RESP session', () => {
  it('answers all requests of one piece of input with one write', () => {
    const client = new TestClient();
    client.feed(encode('SET', 'a', '1').repeat(100) + encode('GET', 'a').repeat(100));
    expect(client.output.writes).toEqual(['+OK\r\n'.repeat(100) + bulk('1').repeat(100)]);
  });

  it('writes nothing when there is nothing to answer', () => {
    const client = new TestClient();
    client.feed('*2\r\n$4\r\nECHO\r\n');
    client.feed('$1\r\n');
    expect(client.output.writes).toEqual([]);
    client.feed('x\r\n');
    expect(client.output.writes).toEqual([bulk('x')]);
  });

  it('answers the same at every split of a pipeline', () => {
    const pipeline = [
      encode('SET', 'a', 'x\r\ny'),
      'INCR n\r\n',
      encode('GET', 'a'),
      encode('NOSUCH', '1'),
      encode('LPUSH', 'l', 'a', 'b'),
      '\r\n',
      encode('LRANGE', 'l', '0', '-1'),
    ].join('');
    const whole = new TestClient().feed(pipeline);
    expect(whole).toContain(bulk('x\r\ny'));
    for (let at = 1; at < pipeline.length; at += 1) {
      const client = new TestClient();
      const parts = client.feed(pipeline.slice(0, at)) + client.feed(pipeline.slice(at));
      expect(parts).toBe(whole);
    }
  });

  it('hands on long values between the answers around them, in order', () => {
    const client = new TestClient();
    const long = 'x'.repeat(20_000);
    client.feed(encode('SET', 'a', long));
    const answer = client.feed(encode('PING') + encode('GET', 'a') + encode('PING'));
    expect(answer).toBe(pong + bulk(long) + pong);
  });

  it('tells a protocol error after the answers before it, and closes', () => {
    const client = new TestClient();
    const answer = client.feed(`${encode('PING')}*1\r\n!${encode('PING')}`);
    expect(answer).toBe(`${pong}-ERR Protocol error: expected '$', got '!'\r\n`);
    expect(client.output.calls).toEqual(['close']);
    expect(client.feed(encode('PING'))).toBe('');
  });
});

describe('a RESP session without room to write', () => {
  it('stops answering, and goes on where it stopped', () => {
    const client = new TestClient();
    client.feed(encode('SET', 'a', 'x'.repeat(40_000)));
    client.output.room = false;
    client.output.writes.length = 0;
    client.feed(encode('GET', 'a').repeat(10) + encode('PING').slice(0, 7));
    const value = bulk('x'.repeat(40_000));
    expect(client.output.writes).toEqual([value.repeat(2)]);
    expect(client.output.calls).toEqual(['pause']);

    client.session.drain();
    expect(client.output.writes.join('')).toBe(value.repeat(4));
    expect(client.output.calls).toEqual(['pause', 'pause']);

    client.output.room = true;
    client.session.drain();
    expect(client.output.writes.join('')).toBe(value.repeat(10));
    expect(client.output.calls).toEqual(['pause', 'pause', 'resume']);
    expect(client.feed(encode('PING').slice(7))).toBe(pong);
  });

  it('keeps what arrives nevertheless', () => {
    const client = new TestClient();
    client.output.room = false;
    expect(client.feed(encode('PING'))).toBe(pong);
    expect(client.feed(encode('PING') + encode('ECHO', 'a').slice(0, 10))).toBe('');
    expect(client.feed(encode('ECHO', 'a').slice(10))).toBe('');
    client.output.room = true;
    client.session.drain();
    expect(client.output.writes).toEqual([pong, pong + bulk('a')]);
  });

  it('answers everything before it ends, when the client has ended', () => {
    const client = new TestClient();
    client.output.room = false;
    client.feed(encode('PING'));
    client.feed(encode('ECHO', 'a'));
    client.session.end();
    expect(client.output.calls).toEqual(['pause']);
    client.output.room = true;
    client.session.drain();
    expect(client.output.writes).toEqual([pong, bulk('a')]);
    expect(client.output.calls).toEqual(['pause', 'end']);
  });

  it('ends at once when everything is answered', () => {
    const client = new TestClient();
    client.feed(encode('PING'));
    client.session.end();
    expect(client.output.calls).toEqual(['end']);
  });

  it('ignores a drain that it did not wait for', () => {
    const client = new TestClient();
    client.session.drain();
    expect(client.output.calls).toEqual([]);
  });
});
