import { describe, expect, it } from 'vitest';
import { List, MemberSet, SortedSet } from '../../examples/resp/collections.mjs';
import { addIntegers, parseInteger } from '../../examples/resp/integer.mjs';
import { matches } from '../../examples/resp/pattern.mjs';
import { Store } from '../../examples/resp/store.mjs';
import { TestClient } from '../support/resp.js';

describe('expiry', () => {
  it('hides a key from every command the moment it is due', () => {
    let time = 1000;
    const client = new TestClient({ now: () => time });
    client.ask('SET a 1 PX 100');
    client.ask('SET b 1');
    time = 1099;
    expect(client.ask('GET a')).toBe('$1\r\n1\r\n');
    expect(client.ask('PTTL a')).toBe(':1\r\n');
    time = 1100;
    expect(client.ask('KEYS *')).toBe('*1\r\n$1\r\nb\r\n');
    expect(client.ask('GET a')).toBe('$-1\r\n');
    expect(client.ask('DEL a')).toBe(':0\r\n');
    expect(client.ask('SET a 2 XX')).toBe('$-1\r\n');
    expect(client.ask('SET a 2 NX')).toBe('+OK\r\n');
    expect(client.ask('TTL a')).toBe(':-1\r\n');
  });

  it('starts anew when a due key is set, counted or appended to', () => {
    let time = 1000;
    const client = new TestClient({ now: () => time });
    for (const name of ['s', 'n', 'a', 'k']) client.ask(`SET ${name} 5 PX 10`);
    time = 1010;
    client.ask('SET s 1');
    expect(client.ask('INCR n')).toBe(':1\r\n');
    expect(client.ask('APPEND a xy')).toBe(':2\r\n');
    client.ask('SET k 1 KEEPTTL');
    for (const name of ['s', 'n', 'a', 'k']) expect(client.ask(`TTL ${name}`)).toBe(':-1\r\n');
  });

  it('is swept a few keys at a time, and all of them in the end', () => {
    let time = 0;
    const store = new Store(() => time);
    for (let index = 0; index < 1000; index += 1) store.set(`key:${index}`, 'x', 10 + (index % 2));
    store.set('immortal', 'x');
    expect(store.sweep(100)).toBe(0);
    time = 10;
    expect(store.sweep(100)).toBeLessThanOrEqual(100);
    for (let round = 0; round < 15; round += 1) store.sweep(100);
    expect(store.size).toBe(501);
    time = 11;
    for (let round = 0; round < 15; round += 1) store.sweep(100);
    expect(store.size).toBe(1);
    expect(store.mortalSize).toBe(0);
    expect(store.expired).toBe(1000);
  });

  it('counts a key as mortal only while it is', () => {
    const store = new Store(() => 0);
    store.set('a', 'x', 10);
    store.set('b', 'x', 10);
    expect(store.mortalSize).toBe(2);
    store.set('a', 'y');
    expect(store.mortalSize).toBe(1);
    store.delete('b');
    expect(store.mortalSize).toBe(0);
    store.set('a', 'x', 10);
    store.clear();
    expect(store.mortalSize).toBe(0);
  });
});

describe('a list', () => {
  it('does what an array does, at both ends', () => {
    const list = new List();
    const model: string[] = [];
    let seed = 1;
    for (let step = 0; step < 5000; step += 1) {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      const value = `value ${step}`;
      const choice = (seed >>> 16) % 5;
      if (choice === 0 || choice === 4) {
        list.pushLeft(value);
        model.unshift(value);
      } else if (choice === 1) {
        list.pushRight(value);
        model.push(value);
      } else if (model.length > 0) {
        const popped = choice === 2 ? list.popLeft() : list.popRight();
        expect(popped).toBe(choice === 2 ? model.shift() : model.pop());
      }
      expect(list.length).toBe(model.length);
    }
    expect(Array.from({ length: list.length }, (_, index) => list.at(index))).toEqual(model);
    expect(model.length).toBeGreaterThan(100);
  });
});

describe('a set', () => {
  it('pops each member once, whichever the random numbers choose', () => {
    for (const random of [0, 0.3, 0.5, 0.999]) {
      const set = new MemberSet();
      for (const member of ['a', 'b', 'c', 'd']) set.add(member);
      const popped = Array.from({ length: 4 }, () => set.pop(random));
      expect(popped.sort()).toEqual(['a', 'b', 'c', 'd']);
      expect(set.size).toBe(0);
      expect(set.has('a')).toBe(false);
    }
  });
});

describe('a sorted set', () => {
  it('keeps members by score, then by bytes, through changes of score', () => {
    const set = new SortedSet();
    for (const member of ['c', 'a', 'b']) set.set(member, 1);
    set.set('z', 0);
    expect(set.slice(0, 9).map(({ member }) => member)).toEqual(['z', 'a', 'b', 'c']);
    expect(set.set('a', 5)).toBe(false);
    set.delete('z');
    expect(set.slice(0, 9).map(({ member }) => member)).toEqual(['b', 'c', 'a']);
    expect(set.score('a')).toBe(5);
    expect(set.score('z')).toBeUndefined();
  });
});

describe('integers', () => {
  it.each([
    ['0', 0],
    ['-1', -1],
    ['999999999999999', 999999999999999],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['9007199254740992', 9007199254740992n],
    ['9223372036854775807', 9223372036854775807n],
    ['-9223372036854775808', -9223372036854775808n],
    ['9223372036854775808', undefined],
    ['-9223372036854775809', undefined],
    ['00', undefined],
    ['-0', undefined],
    ['-', undefined],
    ['', undefined],
    ['١', undefined],
    ['1_000_000_000_000_000', undefined],
  ])('%s is read as %s', (text, value) => {
    expect(parseInteger(text)).toBe(value);
  });

  it('are added exactly, up to the edges', () => {
    expect(addIntegers(Number.MAX_SAFE_INTEGER, 1)).toBe(9007199254740992n);
    expect(addIntegers(9007199254740993n, -2)).toBe(Number.MAX_SAFE_INTEGER);
    expect(addIntegers(9223372036854775807n, 1)).toBeUndefined();
    expect(addIntegers(-9223372036854775808n, -1)).toBeUndefined();
  });
});

describe('patterns', () => {
  it.each([
    ['h?llo', 'hello', true],
    ['h?llo', 'hllo', false],
    ['h*llo', 'heeeello', true],
    ['*', '', true],
    ['', '', true],
    ['', 'a', false],
    ['a**b', 'ab', true],
    ['[a-c]x', 'bx', true],
    ['[c-a]x', 'bx', true],
    ['[^a-c]x', 'bx', false],
    ['[\\]]', ']', true],
    ['\\*', '*', true],
    ['\\*', 'a', false],
    ['a[', 'a[', false],
    ['*a*b', 'xaxaxb', true],
    ['*ab', 'abc', false],
  ])('%s and %s: %s', (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected);
  });

  it('of many stars do not take for ever', () => {
    expect(matches(`${'a*'.repeat(50)}b`, 'a'.repeat(5000))).toBe(false);
  });
});
