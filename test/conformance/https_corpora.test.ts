// The corpora of HTTP requests over TLS: each is answered as over plain TCP, byte for byte, and
// its connection ends at the same place. What the answers have to be, other tests say.
import { fileURLToPath } from 'node:url';
import type { HttpRequest, HttpResponse } from 'ringpoll/http';
import { describe, expect, it } from 'vitest';
import { findCorpus, readCorpus } from '../http/llhttp_corpus.js';
import { nearlyValid, randomFrom } from '../http/mutations.js';
import { REFUSED } from '../http/refused_requests.js';
import { VALID_REQUESTS } from '../http/valid_requests.mjs';
import { WAITING } from '../http/waiting_requests.js';
import { dialHttp, parseAnswers, serveHttp } from '../support/http.js';
import { dialHttps, serveHttps } from '../support/https.js';
import type { Peer } from '../support/peer.js';
import { Random } from '../support/random.js';
import { codeOf } from '../support/recorder.js';
import { rounds } from '../support/rounds.js';

const AT_ONCE = 16;
const CORPUS_MS_MAX = 60_000;
const SEED = 20_261_127;
const MUTATED = rounds(100, 3_000);
const PIECE_BYTES_MAX = 24;
/** Each request whole and in pieces; otherwise half of them this way, and half the other. */
const TWICE = rounds(0, 1) === 1;

const sibling = fileURLToPath(new URL('../../../shared', import.meta.url));
const found = findCorpus(process.env, sibling);
const fixtures = (folder: string) =>
  found.missing === undefined ? readCorpus(folder).map(({ input }) => input) : [];

async function handler(request: HttpRequest, response: HttpResponse): Promise<void> {
  const { method, url, httpVersion } = request;
  const headers = request.rawHeaders();
  try {
    const body = (await request.body()).toString('latin1');
    response.json({ method, url, httpVersion, headers, body, trailers: request.trailers });
  } catch (error) {
    // A body that is malformed has been answered with 400, and one that is cut off has not.
    if (!response.ended) response.end(codeOf(error as Error));
  }
}

interface Seen {
  text: string;
  /** The server has ended its side, as opposed to a reset. */
  ended: boolean;
}

/** What a peer hears that sends `input` in pieces of these sizes, and then ends its side. */
async function heard(peer: Peer, input: string, size: () => number): Promise<Seen> {
  const bytes = Buffer.from(input, 'latin1');
  for (let at = 0; at < bytes.length && !peer.ended && !peer.closed; ) {
    const piece = bytes.subarray(at, at + size());
    at += piece.length;
    peer.send(piece);
    if (at < bytes.length) await new Promise(setImmediate);
  }
  peer.end();
  await peer.untilOver();
  const seen = { text: peer.text.replace(/^Date: .*$/gm, 'Date: now'), ended: peer.ended };
  peer.destroy();
  return seen;
}

/** The answers over both, where they differ. */
async function differences(inputs: readonly string[], sizes: (at: number) => () => number) {
  const plain = serveHttp({ handler });
  const secure = serveHttps({ handler });
  const different: { input: string; plain: Seen; secure: Seen }[] = [];
  let next = 0;
  const work = async () => {
    while (next < inputs.length) {
      const at = next++;
      const input = inputs[at]!;
      const both = await Promise.all([
        heard(await dialHttp(plain), input, sizes(at)),
        heard(await dialHttps(secure), input, sizes(at)),
      ]);
      if (JSON.stringify(both[0]) === JSON.stringify(both[1])) continue;
      different.push({ input, plain: both[0], secure: both[1] });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return different;
}

const whole = () => () => 1 << 20;
const inPieces = (at: number) => {
  const random = new Random(SEED + at);
  return () => 1 + random.below(PIECE_BYTES_MAX);
};

const random = randomFrom(SEED);
const CORPORA: Record<string, readonly string[]> = {
  'requests that are valid': VALID_REQUESTS,
  'requests that are refused': REFUSED.flatMap(([, , inputs]) => Object.values(inputs)),
  "llhttp's requests": fixtures(found.folder),
  'requests that are nearly valid': Array.from({ length: MUTATED }, () => nearlyValid(random)),
};

describe('over TLS as over plain TCP', () => {
  it("llhttp's fixtures are found", (context) => {
    if (found.missing !== undefined && found.demandedBy !== undefined) {
      throw new Error(`${found.missing}, and ${found.demandedBy} asks for them`);
    }
    context.skip(found.missing !== undefined, found.missing);
    expect(CORPORA["llhttp's requests"]!.length).toBeGreaterThan(120);
  });

  it.each(Object.keys(CORPORA))(
    '%s have the same answers',
    async (name) => {
      const inputs = CORPORA[name]!;
      expect(await differences(inputs, (at) => (at % 2 ? whole() : inPieces(at)))).toEqual([]);
      if (!TWICE) return;
      expect(await differences(inputs, (at) => (at % 2 ? inPieces(at) : whole()))).toEqual([]);
    },
    CORPUS_MS_MAX,
  );

  it.each([
    ['plain TCP', serveHttp, dialHttp],
    ['TLS', serveHttps, dialHttps],
  ])('a request over %s is waited for, wherever it stops', async (_, serve, dial) => {
    const server = serve({ handler });
    const waiting = WAITING.map(async ([part, rest]) => {
      const peer = await dial(server);
      peer.send(part);
      // What comes behind it on another connection has been answered: so the part has been read.
      const other = await dial(server);
      other.send(VALID_REQUESTS[0]!);
      await other.receivedUntil('trailers');
      const before = peer.text;
      peer.send(rest);
      peer.end();
      await peer.untilEnd();
      return [before, ...parseAnswers(peer.text).map(({ status }) => status)];
    });
    expect(await Promise.all(waiting)).toEqual(WAITING.map(() => ['', 200]));
  });
});
