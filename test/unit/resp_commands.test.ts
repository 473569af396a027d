import { describe, expect, it } from 'vitest';
import { bulk, bulks, encode, TestClient } from '../support/resp.js';

const ok = '+OK\r\n';
const nil = '$-1\r\n';
const int = (value: number | string) => `:${value}\r\n`;

/** Each line is a request and its answer; all lines of a script go to one client. */
const scripts: Record<string, [string, string][]> = {
  PING: [
    ['PING', '+PONG\r\n'],
    ['ping hello', bulk('hello')],
  ],
  ECHO: [['ECHO hello', bulk('hello')]],
  'GET and SET': [
    ['GET a', nil],
    ['SET a 1', ok],
    ['GET a', bulk('1')],
    ["SET a ''", ok],
    ['GET a', bulk('')],
  ],
  'SET with NX, XX and GET': [
    ['SET a 1 XX', nil],
    ['SET a 1 NX', ok],
    ['SET a 2 NX', nil],
    ['GET a', bulk('1')],
    ['SET a 2 XX', ok],
    ['SET a 3 GET', bulk('2')],
    ['SET b 1 GET', nil],
    ['SET a 4 NX GET', bulk('3')],
    ['GET a', bulk('3')],
  ],
  'SET with an expiry': [
    ['SET a 1 EX 10', ok],
    ['TTL a', int(10)],
    ['SET a 2 KEEPTTL', ok],
    ['TTL a', int(10)],
    ['SET a 3', ok],
    ['TTL a', int(-1)],
    ['SET a 4 px 1500', ok],
    ['PTTL a', int(1500)],
    ['SET a 5 PXAT 1007000', ok],
    ['PTTL a', int(7000)],
    ['SET a 6 EXAT 1020', ok],
    ['TTL a', int(20)],
  ],
  'SETNX, SETEX, PSETEX, GETSET, GETDEL': [
    ['SETNX a 1', int(1)],
    ['SETNX a 2', int(0)],
    ['GETSET a 3', bulk('1')],
    ['SETEX a 5 4', ok],
    ['TTL a', int(5)],
    ['PSETEX a 900 5', ok],
    ['PTTL a', int(900)],
    ['GETDEL a', bulk('5')],
    ['GETDEL a', nil],
  ],
  'MSET and MGET': [
    ['MSET a 1 b 2', ok],
    ['RPUSH l x', int(1)],
    ['MGET a none l b', `*4\r\n${bulk('1')}${nil}${nil}${bulk('2')}`],
  ],
  'APPEND and STRLEN': [
    ['STRLEN a', int(0)],
    ['APPEND a abc', int(3)],
    ['APPEND a de', int(5)],
    ['GET a', bulk('abcde')],
    ['STRLEN a', int(5)],
  ],
  'INCR, DECR, INCRBY, DECRBY': [
    ['INCR n', int(1)],
    ['INCRBY n 41', int(42)],
    ['DECR n', int(41)],
    ['DECRBY n 50', int(-9)],
    ['INCRBY n -1', int(-10)],
    ['GET n', bulk('-10')],
  ],
  'counting beyond 53 bits': [
    ['SET n 9007199254740991', ok],
    ['INCR n', int('9007199254740992')],
    ['INCR n', int('9007199254740993')],
    ['DECRBY n 3', int('9007199254740990')],
    ['SET n 9223372036854775806', ok],
    ['INCR n', int('9223372036854775807')],
    ['SET n -9223372036854775807', ok],
    ['DECR n', int('-9223372036854775808')],
    ['INCRBY n 9223372036854775807', int(-1)],
  ],
  'DEL, EXISTS and TYPE': [
    ['MSET a 1 b 2', ok],
    ['EXISTS a b a none', int(3)],
    ['DEL a none a', int(1)],
    ['EXISTS a', int(0)],
    ['TYPE a', '+none\r\n'],
    ['TYPE b', '+string\r\n'],
    ['LPUSH l 1', int(1)],
    ['TYPE l', '+list\r\n'],
    ['SADD s 1', int(1)],
    ['TYPE s', '+set\r\n'],
    ['HSET h f v', int(1)],
    ['TYPE h', '+hash\r\n'],
    ['ZADD z 1 m', int(1)],
    ['TYPE z', '+zset\r\n'],
  ],
  'EXPIRE, PEXPIRE, TTL, PTTL and PERSIST': [
    ['TTL a', int(-2)],
    ['PTTL a', int(-2)],
    ['EXPIRE a 10', int(0)],
    ['PERSIST a', int(0)],
    ['SET a 1', ok],
    ['TTL a', int(-1)],
    ['PERSIST a', int(0)],
    ['EXPIRE a 100', int(1)],
    ['PTTL a', int(100_000)],
    ['PEXPIRE a 1499', int(1)],
    ['TTL a', int(1)],
    ['PERSIST a', int(1)],
    ['PTTL a', int(-1)],
    ['EXPIREAT a 1030', int(1)],
    ['TTL a', int(30)],
    ['PEXPIREAT a 1040000', int(1)],
    ['TTL a', int(40)],
    ['INCR a', int(2)],
    ['TTL a', int(40)],
    ['EXPIRE a 0', int(1)],
    ['EXISTS a', int(0)],
  ],
  'EXPIRE with conditions': [
    ['SET a 1', ok],
    ['EXPIRE a 10 XX', int(0)],
    ['EXPIRE a 10 GT', int(0)],
    ['EXPIRE a 10 NX', int(1)],
    ['EXPIRE a 20 NX', int(0)],
    ['EXPIRE a 5 GT', int(0)],
    ['EXPIRE a 20 GT', int(1)],
    ['EXPIRE a 30 LT', int(0)],
    ['EXPIRE a 15 XX LT', int(1)],
    ['TTL a', int(15)],
  ],
  'KEYS, DBSIZE, FLUSHALL and FLUSHDB': [
    ['KEYS *', '*0\r\n'],
    ['MSET one 1 two 2 three 3', ok],
    ['KEYS *', bulks('one', 'two', 'three')],
    ['KEYS t*', bulks('two', 'three')],
    ['KEYS t?o', bulks('two')],
    ['KEYS [^t]*', bulks('one')],
    ['DBSIZE', int(3)],
    ['FLUSHALL', ok],
    ['DBSIZE', int(0)],
    ['SET a 1', ok],
    ['FLUSHDB ASYNC', ok],
    ['KEYS *', '*0\r\n'],
  ],
  'LPUSH, RPUSH, LRANGE and LLEN': [
    ['RPUSH l c d', int(2)],
    ['LPUSH l b a', int(4)],
    ['LRANGE l 0 -1', bulks('a', 'b', 'c', 'd')],
    ['LRANGE l 1 2', bulks('b', 'c')],
    ['LRANGE l -2 100', bulks('c', 'd')],
    ['LRANGE l -100 0', bulks('a')],
    ['LRANGE l 3 1', '*0\r\n'],
    ['LRANGE l 9 10', '*0\r\n'],
    ['LRANGE none 0 -1', '*0\r\n'],
    ['LLEN l', int(4)],
    ['LLEN none', int(0)],
    ['LINDEX l -1', bulk('d')],
    ['LINDEX l 4', nil],
    ['LPUSHX none a', int(0)],
    ['RPUSHX l e', int(5)],
  ],
  'LPOP and RPOP': [
    ['LPOP l', nil],
    ['LPOP l 2', '*-1\r\n'],
    ['RPUSH l a b c d e', int(5)],
    ['LPOP l', bulk('a')],
    ['RPOP l', bulk('e')],
    ['RPOP l 0', '*0\r\n'],
    ['RPOP l 2', bulks('d', 'c')],
    ['LPOP l 9', bulks('b')],
    ['EXISTS l', int(0)],
  ],
  sets: [
    ['SADD s a b a', int(2)],
    ['SCARD s', int(2)],
    ['SISMEMBER s a', int(1)],
    ['SISMEMBER s c', int(0)],
    ['SMEMBERS s', bulks('a', 'b')],
    ['SREM s a c', int(1)],
    ['SPOP s', bulk('b')],
    ['EXISTS s', int(0)],
    ['SPOP s', nil],
    ['SPOP s 3', '*0\r\n'],
    ['SADD s x y', int(2)],
    ['SPOP s 5', bulks('x', 'y')],
  ],
  hashes: [
    ['HSET h a 1 b 2', int(2)],
    ['HSET h a 3 c 4', int(1)],
    ['HGET h a', bulk('3')],
    ['HGET h none', nil],
    ['HLEN h', int(3)],
    ['HEXISTS h b', int(1)],
    ['HGETALL h', bulks('a', '3', 'b', '2', 'c', '4')],
    ['HDEL h a b c d', int(3)],
    ['EXISTS h', int(0)],
    ['HGETALL h', '*0\r\n'],
  ],
  'sorted sets': [
    ['ZADD z 2 b 1 a 3 c', int(3)],
    ['ZADD z CH 5 a 3 c', int(1)],
    ['ZADD z NX 9 a 1 d', int(1)],
    ['ZADD z XX 2 b 1 new', int(0)],
    ['ZCARD z', int(4)],
    ['ZSCORE z a', bulk('5')],
    ['ZSCORE z none', nil],
    ['ZRANGE z 0 -1', bulks('d', 'b', 'c', 'a')],
    ['ZRANGE z 0 1 WITHSCORES', bulks('d', '1', 'b', '2')],
    ['ZPOPMIN z', bulks('d', '1')],
    ['ZREM z b none', int(1)],
    ['ZADD z -inf low +inf high', int(2)],
    ['ZPOPMIN z 9', bulks('low', '-inf', 'c', '3', 'a', '5', 'high', 'inf')],
    ['EXISTS z', int(0)],
  ],
  SELECT: [['SELECT 0', ok]],
  CLIENT: [
    ['CLIENT ID', int(7)],
    ['CLIENT GETNAME', nil],
    ['CLIENT SETNAME me', ok],
    ['CLIENT GETNAME', bulk('me')],
    ['CLIENT SETINFO lib-name mine', ok],
    ['CLIENT SETINFO LIB-VER 1', ok],
  ],
  'CONFIG GET': [
    ['CONFIG GET save', bulks('save', '')],
    ['CONFIG GET append*', bulks('appendonly', 'no')],
    ['CONFIG GET none', '*0\r\n'],
  ],
  INFO: [
    ['INFO', bulk('# Server\r\nengine:none\r\n\r\n# Stats\r\nanswers:42\r\n')],
    ['INFO stats', bulk('# Stats\r\nanswers:42\r\n')],
    ['INFO none', bulk('')],
  ],
  'COMMAND INFO and DOCS': [
    [
      'COMMAND INFO get',
      '*1\r\n*6\r\n$3\r\nget\r\n:2\r\n*2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1\r\n',
    ],
    ['COMMAND INFO none', '*1\r\n*-1\r\n'],
    [
      'COMMAND DOCS get',
      `*2\r\n${bulk('get')}${bulks('summary', 'Returns a string.', 'group', 'string')}`,
    ],
    ['COMMAND DOCS none', '*0\r\n'],
  ],
};

describe('commands', () => {
  it.each(Object.entries(scripts))('%s', (_name, script) => {
    const client = new TestClient({ now: () => 1_000_000 });
    for (const [line, answer] of script) {
      expect({ line, answer: client.ask(line) }).toEqual({ line, answer });
    }
  });

  it('COMMAND and COMMAND COUNT agree with COMMAND LIST', () => {
    const client = new TestClient();
    const count = Number(client.ask('COMMAND COUNT').slice(1));
    expect(count).toBeGreaterThan(60);
    expect(client.ask('COMMAND').startsWith(`*${count}\r\n*6\r\n`)).toBe(true);
    expect(client.ask('COMMAND LIST').startsWith(`*${count}\r\n`)).toBe(true);
    expect(client.ask('COMMAND DOCS').startsWith(`*${count * 2}\r\n`)).toBe(true);
  });

  it('HELLO agrees on version 2', () => {
    const client = new TestClient();
    const answer = client.ask('HELLO 2 SETNAME me');
    expect(answer).toContain(`${bulk('proto')}:2\r\n${bulk('id')}:7\r\n`);
    expect(client.ask('HELLO')).toBe(answer);
    expect(client.ask('CLIENT GETNAME')).toBe(bulk('me'));
  });

  it('QUIT is answered, closes, and ends what was pipelined behind it', () => {
    const client = new TestClient();
    expect(client.feed(encode('QUIT') + encode('PING'))).toBe(ok);
    expect(client.output.calls).toEqual(['close']);
    expect(client.ask('PING')).toBe('');
  });

  it('take keys and values of any bytes', () => {
    const client = new TestClient();
    const bytes = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte));
    for (const value of [bytes, bytes.repeat(100)]) {
      expect(client.feed(encode('SET', bytes, value))).toBe(ok);
      expect(client.feed(encode('GET', bytes))).toBe(bulk(value));
      expect(client.feed(encode('APPEND', bytes, bytes))).toBe(int(value.length + 256));
      expect(client.feed(encode('GET', bytes))).toBe(bulk(value + bytes));
    }
    expect(client.ask('KEYS *')).toBe(bulks(bytes));
  });

  it('find their name in any case, and not by its beginning', () => {
    const client = new TestClient();
    for (const name of ['get', 'GET', 'gEt']) expect(client.ask(`${name} a`)).toBe(nil);
    for (const name of ['ge', 'gets', 'g%t', '\x07et']) {
      expect(client.ask(`${name} a`)).toContain('unknown command');
    }
  });
});
