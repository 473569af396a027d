import { describe, expect, it } from 'vitest';
import { allCommands } from '../../examples/resp/commands.mjs';
import { encode, TestClient } from '../support/resp.js';

const notInteger = 'ERR value is not an integer or out of range';
const notPositive = 'ERR value is out of range, must be positive';
const syntax = 'ERR syntax error';
const overflow = 'ERR increment or decrement would overflow';
const wrongType = 'WRONGTYPE Operation against a key holding the wrong kind of value';
const invalidExpiry = (name: string) => `ERR invalid expire time in '${name}' command`;
const wrongCount = (name: string) => `ERR wrong number of arguments for '${name}' command`;

/** Refused requests by what they are told. Before each, `n` is abc and `max` the last integer. */
const refused: [string, string[]][] = [
  [
    notInteger,
    [
      'INCR n',
      'DECR n',
      'INCRBY max 1.5',
      'INCRBY max 9223372036854775808',
      'DECRBY max x',
      'SET a 1 EX abc',
      'SETEX a abc 1',
      'EXPIRE n abc',
      'LRANGE none 0 b',
      'LINDEX none x',
      'SELECT abc',
      'ZRANGE none a 1',
    ],
  ],
  [overflow, ['INCR max', 'INCRBY max 1', 'DECRBY max -1']],
  ['ERR decrement would overflow', ['DECRBY max -9223372036854775808']],
  [notPositive, ['LPOP l -1', 'LPOP l abc', 'SPOP s -1', 'ZPOPMIN z -1']],
  [
    syntax,
    [
      'SET a 1 EX',
      'SET a 1 NX XX',
      'SET a 1 EX 1 PX 1',
      'SET a 1 KEEPTTL EX 1',
      'SET a 1 EX 1 KEEPTTL',
      'SET a 1 WHAT',
      'FLUSHALL NOW',
      'FLUSHDB ASYNC SYNC',
      'SPOP s 1 2',
      'ZADD z 1 a 2',
      'ZRANGE z 0 1 WHAT',
      'ZPOPMIN z 1 2',
    ],
  ],
  [invalidExpiry('set'), ['SET a 1 EX 0', 'SET a 1 PX -1', 'SET a 1 EX 9223372036854775807']],
  [invalidExpiry('setex'), ['SETEX a 0 1']],
  [invalidExpiry('psetex'), ['PSETEX a -5 1']],
  [invalidExpiry('expire'), ['EXPIRE n 9223372036854775807', 'EXPIRE n -9223372036854775807']],
  [
    wrongType,
    [
      ...['GET l', 'INCR l', 'APPEND l x', 'STRLEN l', 'SET l x GET', 'GETSET l x', 'GETDEL l'],
      ...['LPUSH n x', 'RPUSHX n x', 'LPOP n', 'RPOP n 1', 'LRANGE n 0 1', 'LLEN n', 'LINDEX n 0'],
      ...['SADD n x', 'SREM n x', 'SPOP n', 'SCARD l', 'SISMEMBER l x', 'SMEMBERS n'],
      ...['HSET n f v', 'HGET l f', 'HDEL n f', 'HLEN l', 'HEXISTS n f', 'HGETALL l'],
      ...['ZADD l 1 x', 'ZREM n x', 'ZCARD l', 'ZSCORE n x', 'ZRANGE l 0 1', 'ZPOPMIN n'],
    ],
  ],
  [wrongCount('mset'), ['MSET a', 'MSET a 1 b']],
  [wrongCount('hset'), ['HSET h a', 'HSET h a 1 b']],
  [wrongCount('ping'), ['PING a b']],
  [wrongCount('lpop'), ['LPOP l 1 2']],
  [wrongCount('client'), ['CLIENT']],
  [wrongCount('client|setname'), ['CLIENT SETNAME']],
  [wrongCount('config|get'), ['CONFIG GET']],
  [wrongCount('command|count'), ['COMMAND COUNT x']],
  ["ERR unknown subcommand 'what'. Try CLIENT HELP.", ['CLIENT what']],
  ["ERR unknown subcommand 'SET'. Try CONFIG HELP.", ['CONFIG SET a b']],
  ["ERR unknown subcommand 'what'. Try COMMAND HELP.", ['COMMAND what']],
  ['ERR DB index is out of range', ['SELECT 1', 'SELECT -1', 'SELECT 9223372036854775807']],
  ['NOPROTO unsupported protocol version', ['HELLO 3', 'HELLO 1']],
  ['ERR Protocol version is not an integer or out of range', ['HELLO x']],
  ["ERR Syntax error in HELLO option 'AUTH'", ['HELLO 2 AUTH a b']],
  ['ERR Unsupported option WHAT', ['EXPIRE n 1 WHAT']],
  [
    'ERR NX and XX, GT or LT options at the same time are not compatible',
    ['EXPIRE n 1 NX XX', 'EXPIRE n 1 GT NX'],
  ],
  ['ERR GT and LT options at the same time are not compatible', ['EXPIRE n 1 GT LT']],
  ['ERR XX and NX options at the same time are not compatible', ['ZADD z NX XX 1 a']],
  ['ERR value is not a valid float', ['ZADD z abc a', 'ZADD z nan a', 'ZADD z 1 a 0x2 b']],
  [
    'ERR Client names cannot contain spaces, newlines or special characters.',
    ['CLIENT SETNAME \x07', 'HELLO 2 SETNAME a\nb'],
  ],
  ["ERR Unrecognized option 'what'", ['CLIENT SETINFO what 1']],
  ["ERR unknown command 'foo', with args beginning with: ", ['foo']],
  ["ERR unknown command 'foo', with args beginning with: 'a' 'b' ", ['foo a b']],
  ["ERR unknown command '', with args beginning with: 'a' ", ["'' a"]],
];

describe('a refused request', () => {
  const cases = refused.flatMap(([message, lines]) => lines.map((line) => [line, message]));

  it.each(cases)('%s', (line, message) => {
    const client = new TestClient();
    client.ask('MSET n abc max 9223372036854775807');
    client.ask('RPUSH l one');
    const before = client.ask('KEYS *');
    expect(client.ask(line)).toBe(`-${message}\r\n`);
    expect(client.ask('KEYS *')).toBe(before);
    expect(client.ask('MGET n max')).toBe('*2\r\n$3\r\nabc\r\n$19\r\n9223372036854775807\r\n');
    expect(client.output.calls).toEqual([]);
  });

  const fixed = allCommands().list.filter(({ arity }) => arity !== -1);

  it.each(fixed.map(({ name, arity }) => [name, arity]))(
    '%s with too few or too many words',
    (name, arity) => {
      const client = new TestClient();
      const counts = arity > 0 ? [arity - 1, arity + 1] : [-arity - 1];
      for (const count of counts.filter((words) => words > 0)) {
        const words = [name.toUpperCase(), ...Array.from({ length: count - 1 }, () => '1')];
        expect(client.feed(encode(...words))).toBe(`-${wrongCount(name)}\r\n`);
      }
    },
  );

  it('that names no command shows no more than 128 bytes of each', () => {
    const client = new TestClient();
    const answer = client.feed(encode('f'.repeat(300), 'a'.repeat(300), 'b'));
    const name = 'f'.repeat(128);
    const shown = 'a'.repeat(128);
    const expected = `-ERR unknown command '${name}', with args beginning with: '${shown}' \r\n`;
    expect(answer).toBe(expected);
  });

  it('cannot put line ends into its answer', () => {
    const client = new TestClient();
    const answer = client.feed(encode('f\r\n+OK\r\n', 'a\nb'));
    expect(answer).toBe("-ERR unknown command 'f  +OK  ', with args beginning with: 'a b' \r\n");
  });

  it('that would make a string too long leaves it as it was', () => {
    const client = new TestClient({ limits: { bulkBytes: 10 } });
    client.ask('SET a 12345678');
    const message = 'ERR string exceeds maximum allowed size (proto-max-bulk-len)';
    expect(client.ask('APPEND a 901')).toBe(`-${message}\r\n`);
    expect(client.ask('APPEND a 90')).toBe(':10\r\n');
  });
});

describe('values that are no integers', () => {
  const texts = ["''", '01', '-0', '+1', '1.0', '0x1', '-', '9223372036854775808', '1e3'];

  it.each(texts)('%s', (text) => {
    const client = new TestClient();
    client.ask(`SET n ${text}`);
    expect(client.ask('INCR n')).toBe(`-${notInteger}\r\n`);
  });

  it('because of white space', () => {
    const client = new TestClient();
    for (const text of [' 1', '1 ', '1\n']) {
      client.feed(encode('SET', 'n', text));
      expect(client.ask('INCR n')).toBe(`-${notInteger}\r\n`);
    }
  });
});
