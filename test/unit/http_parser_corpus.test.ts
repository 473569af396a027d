// llhttp's own strict request fixtures through our parser: whole, byte by byte, at random splits,
// with vectors and without. Where we are stricter on purpose, it is listed with the reason.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BUILD_MS_MAX,
  buildDriver,
  Flag,
  Lenient,
  type Message,
  type Outcome,
  runDriver,
  summarise,
} from '../http/driver.js';
import { type Case, findCorpus, readCorpus } from '../http/llhttp_corpus.js';

const sibling = fileURLToPath(new URL('../../../shared', import.meta.url));
const { folder, missing, demandedBy } = findCorpus(process.env, sibling);

const SEEDS = [1, 2, 3, 4, 5];
const WAYS = [
  ['--split=whole'],
  ['--split=whole', '--scan=scalar'],
  ['--split=bytes'],
  ['--split=bytes', '--scan=scalar'],
  ...SEEDS.map((seed) => [`--split=random:${seed}`]),
];

const code = (name: string) => `ERR_RINGPOLL_HTTP_${name}`;

// Beyond the missing Host, which most cases share. Each is explained in docs/http-parser.md.
const STRICTER: Record<string, { code: string; why: string }> = {
  'method: CONNECT with body': {
    code: code('CONNECT_BODY'),
    why: 'what follows CONNECT is the tunnel: a length says otherwise',
  },
  'method: M-SEARCH request': {
    code: code('TARGET_FORM'),
    why: 'only OPTIONS asks for *; SSDP runs over UDP',
  },
  'method: SOURCE request with ICE': {
    code: code('VERSION_INVALID'),
    why: 'Icecast is not HTTP',
  },
  'method: OPTIONS request with RTSP': {
    code: code('VERSION_INVALID'),
    why: 'RTSP is not HTTP',
  },
  'method: ANNOUNCE request with RTSP': {
    code: code('METHOD_UNKNOWN'),
    why: 'a method of RTSP',
  },
  'sample: No HTTP version': {
    code: code('VERSION_MISSING'),
    why: 'HTTP/0.9 has no headers, and a request of it is easily smuggled',
  },
  'uri: Fragment in URI': {
    code: code('TARGET_INVALID'),
    why: 'a fragment never travels: who cuts it off and who does not route differently',
  },
  'uri: `host:port` and basic auth': {
    code: code('TARGET_FORM'),
    why: 'userinfo in a target is deprecated and misleads',
  },
  // Both have a fragment in their target as well, which is found first. Without it they are
  // refused as TRANSFER_ENCODING_UNSUPPORTED, see http_parser_cases.test.ts.
  'transfer-encoding: POST with `chunked` as last transfer-encoding': {
    code: code('TARGET_INVALID'),
    why: 'nobody would undo the coding before `chunked`',
  },
  'transfer-encoding: POST with `chunked` as last transfer-encoding (multiple headers)': {
    code: code('TARGET_INVALID'),
    why: 'nobody would undo the coding before `chunked`',
  },
};

const cases = missing === undefined ? readCorpus(folder) : [];
const strict = cases.filter(({ type }) => type === 'request' || type === 'request-finish');

/** What a case must lead to, in the terms of summarise(). */
function comparable({ expected }: Case) {
  return {
    messages: expected.messages,
    refused: expected.error !== undefined,
    upgraded: expected.upgrade,
    dataAfterClose: expected.dataAfterClose,
  };
}

function seen(outcome: Outcome) {
  return {
    messages: outcome.messages.map(({ flags, ...message }) => ({
      ...message,
      version: flags & Flag.version11 ? '1.1' : '1.0',
    })),
    refused: outcome.error !== undefined,
    upgraded: outcome.state === 'upgraded',
    dataAfterClose: outcome.state === 'closed' && outcome.unread > 0,
  };
}

function run(inputs: string[], args: string[]): Outcome[] {
  return runDriver(inputs, args).map(summarise);
}

// llhttp judges a Content-Length before the head is over, we when it is: those heads get an end.
const completed = strict.map(({ input, expected }) => {
  const endless = expected.error !== undefined && !input.includes('\r\n\r\n');
  return endless ? `${input}\r\n\r\n` : input;
});

const tolerantly = (args: string[]) => run(completed, [...args, `--lenient=${Lenient.host}`]);

const lacksHost = ({ flags, rawHeaders }: Message) =>
  (flags & Flag.version11) !== 0 &&
  !rawHeaders.some((text, index) => index % 2 === 0 && text.toLowerCase() === 'host');

describe("llhttp's strict request fixtures", () => {
  it('are found', (context) => {
    if (missing !== undefined && demandedBy !== undefined) {
      throw new Error(`${missing}, and ${demandedBy} asks for them`);
    }
    if (missing !== undefined) {
      process.stderr.write(`NOT TESTED: llhttp's fixtures (${missing})\n`);
      context.skip(true, missing);
    }
    expect(strict.length).toBeGreaterThan(120);
    const names = strict.map(({ name }) => name);
    expect(Object.keys(STRICTER).filter((name) => !names.includes(name))).toEqual([]);
  });

  if (missing !== undefined) return;
  beforeAll(buildDriver, BUILD_MS_MAX);

  describe.each(WAYS.map((args) => ({ args, way: args.join(' ') })))('$way', ({ args }) => {
    it('give the same messages and refusals, apart from those listed', () => {
      const outcomes = tolerantly(args);
      const differences = strict.flatMap((one, index) => {
        const found = seen(outcomes[index]);
        const listed = STRICTER[one.name];
        if (listed) {
          const error = outcomes[index].error?.code;
          return error === listed.code ? [] : [{ name: one.name, error, listed: listed.code }];
        }
        const expected = comparable(one);
        return isDeepStrictEqual(found, expected) ? [] : [{ name: one.name, found, expected }];
      });
      expect(differences).toEqual([]);
    });

    it('are refused for a missing Host where 1.1 has none', () => {
      const outcomes = run(completed, args);
      const tolerant = tolerantly(args);
      for (const [index, { name }] of strict.entries()) {
        const { messages, error } = tolerant[index];
        const hostless = messages.findIndex(lacksHost);
        if (hostless === -1) {
          const codes = [error?.code, error && code('HOST_MISSING')];
          expect(codes, name).toContain(outcomes[index].error?.code);
          expect(outcomes[index].messages, name).toEqual(messages);
        } else {
          expect(outcomes[index].error?.code, name).toEqual(code('HOST_MISSING'));
          expect(outcomes[index].messages, name).toEqual(messages.slice(0, hostless));
        }
      }
    });
  });

  it('end cleanly or not as llhttp says', () => {
    const ended = strict.filter(({ expected }) => expected.finish !== undefined);
    expect(ended.length).toBeGreaterThan(2);
    const outcomes = run(
      ended.map(({ input }) => input),
      [`--lenient=${Lenient.host}`],
    );
    for (const [index, { expected }] of ended.entries()) {
      expect(outcomes[index].state === 'idle').toBe(expected.finish === 0);
    }
  });
});

describe('the folder of the fixtures', () => {
  const top = mkdtempSync(join(tmpdir(), 'ringpoll-corpora-'));
  afterAll(() => rmSync(top, { recursive: true }));
  const whole = join(top, 'whole');
  const empty = join(top, 'empty');
  const nowhere = join(top, 'nowhere');
  mkdirSync(join(whole, 'corpora', 'llhttp', 'test', 'request'), { recursive: true });
  mkdirSync(empty);

  it('is found beside the checkout, or where RINGPOLL_CORPORA says', () => {
    const found = { folder: join(whole, 'corpora', 'llhttp', 'test', 'request') };
    expect(findCorpus({}, whole)).toMatchObject(found);
    expect(findCorpus({}, whole).missing).toBeUndefined();
    const env = { RINGPOLL_CORPORA: join(whole, 'corpora') };
    expect(findCorpus(env, nowhere)).toMatchObject(found);
    expect(findCorpus(env, nowhere).missing).toBeUndefined();
  });

  it('must be there when something asks for it', () => {
    expect(findCorpus({}, empty).missing).toContain(empty);
    expect(findCorpus({}, empty).demandedBy).toContain(empty);
    expect(findCorpus({ RINGPOLL_CORPORA: nowhere }, whole)).toMatchObject({
      missing: expect.stringContaining(nowhere),
      demandedBy: 'RINGPOLL_CORPORA',
    });
    expect(findCorpus({ CI: 'true' }, nowhere).demandedBy).toBe('CI');
  });

  it('may be missing elsewhere, or where RINGPOLL_CORPORA is empty', () => {
    expect(findCorpus({}, nowhere).missing).toContain(nowhere);
    for (const env of [{}, { CI: '' }, { CI: 'false' }, { CI: 'true', RINGPOLL_CORPORA: '' }]) {
      expect(findCorpus(env, nowhere).demandedBy).toBeUndefined();
    }
  });
});
