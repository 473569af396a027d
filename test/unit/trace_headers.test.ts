// The headers of W3C's Trace Context and Baggage, as peers may send them.
import { describe, expect, it } from 'vitest';
import { formatBaggage, LENGTH_MAX, MEMBERS_MAX, parseBaggage } from '../../lib/tracing/baggage.js';
import { formatTraceparent, parseTraceparent } from '../../lib/tracing/traceparent.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const SOUND = `00-${TRACE}-${SPAN}-01`;

describe('traceparent', () => {
  it('is read, and written again', () => {
    const parsed = parseTraceparent(SOUND)!;
    expect(parsed).toEqual({ traceId: TRACE, spanId: SPAN, traceFlags: 1, isRemote: true });
    expect(formatTraceparent(parsed)).toBe(SOUND);
    expect(formatTraceparent({ ...parsed, traceFlags: 0 })).toBe(`00-${TRACE}-${SPAN}-00`);
  });

  it('of a later version counts as far as it is known', () => {
    const later = { traceId: TRACE, spanId: SPAN, traceFlags: 1 };
    expect(parseTraceparent(`cc-${TRACE}-${SPAN}-ff-what-the-future`)).toMatchObject(later);
    expect(parseTraceparent(`cc-${TRACE}-${SPAN}-09`)).toMatchObject(later);
  });

  it.each([
    [undefined],
    [''],
    [`${SOUND}-`],
    [`${SOUND}-more`],
    [`${SOUND}, ${SOUND}`],
    [`cc-${TRACE}-${SPAN}-01.more`],
    [`cc-${TRACE}-${SPAN}-01-${'x'.repeat(512)}`],
    [`ff-${TRACE}-${SPAN}-01`],
    [`00-${'0'.repeat(32)}-${SPAN}-01`],
    [`00-${TRACE}-${'0'.repeat(16)}-01`],
    [`00-${TRACE.toUpperCase()}-${SPAN}-01`],
    [`00-${TRACE}-${SPAN}-1`],
    [`00-${TRACE}-${SPAN}-0g`],
    [` ${SOUND}`],
    [`${SOUND}\n`],
    [`0-${TRACE}-${SPAN}-01`],
    [`00_${TRACE}_${SPAN}_01`],
  ])('%o is none', (text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  });

  it('of no trace is not written', () => {
    const none = { traceId: '0'.repeat(32), spanId: '0'.repeat(16), traceFlags: 0 };
    expect(formatTraceparent(none)).toBeUndefined();
    expect(formatTraceparent({ ...none, traceId: 'x\r\ny', spanId: SPAN })).toBeUndefined();
  });
});

const valuesOf = (text: string) => {
  const entries = parseBaggage(text);
  return entries && Object.fromEntries(Object.entries(entries).map(([n, { value }]) => [n, value]));
};

describe('baggage', () => {
  it('is read with its encoding, and without properties', () => {
    expect(valuesOf('a=1, b = two%20words ;p;q=3 ,c=%E2%82%AC,a=4')).toEqual({
      a: '4',
      b: 'two words',
      c: '€',
    });
  });

  it('leaves out members that are malformed', () => {
    expect(valuesOf('a,=1,b c=1,d="x",e=%zz,f=1 2,g=%ff,ok=yes,__proto__=x')).toEqual({
      ok: 'yes',
      ['__proto__']: 'x',
    });
    expect(valuesOf('a')).toBeUndefined();
    expect(valuesOf('')).toBeUndefined();
  });

  it('is read within its limits', () => {
    const many = Array.from({ length: 100 }, (_, i) => `k${i}=v`).join(',');
    expect(Object.keys(parseBaggage(many)!)).toHaveLength(MEMBERS_MAX);
    expect(parseBaggage(`a=${'x'.repeat(LENGTH_MAX - 2)}`)).toBeDefined();
    expect(parseBaggage(`a=${'x'.repeat(LENGTH_MAX - 1)}`)).toBeUndefined();
  });

  it('is written within them, and nothing of it ends the field', () => {
    const entry = (value: string) => ({ value });
    expect(formatBaggage([])).toBe('');
    const odd: [string, { value: string }][] = [
      ['a', entry('x\r\ny: z,;"\\ %')],
      ['b c', entry('no')],
      ['d', entry('\ud800€')],
    ];
    const text = formatBaggage(odd);
    expect(text).toBe('a=x%0D%0Ay:%20z%2C%3B%22%5C%20%25,d=%EF%BF%BD%E2%82%AC');
    expect(valuesOf(text)).toEqual({ a: 'x\r\ny: z,;"\\ %', d: '\ufffd€' });
    const long = formatBaggage([
      ['a', entry('x'.repeat(LENGTH_MAX))],
      ['b', entry('1')],
    ]);
    expect(long).toBe('b=1');
    const many = Array.from({ length: 100 }, (_, i) => [`k${i}`, entry('v')] as const);
    expect(formatBaggage(many).split(',')).toHaveLength(MEMBERS_MAX);
  });
});
