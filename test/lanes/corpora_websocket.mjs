// The lane that replays the corpora of uWebSockets' fuzzers, which are fetched and never kept:
// streams of frames and of compressed data through our parser and a whole connection under the
// sanitizers, and offers of extensions through the negotiation. It runs when it is named.
// By hand: node test/lanes/corpora_websocket.mjs
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runStep } from '../support/command.mjs';
import { replay } from './fuzz_websocket.mjs';

export const name = 'websocket corpora';
export const onRequest = true;
export const msMax = 30 * 60 * 1000;

const root = fileURLToPath(new URL('../../', import.meta.url));
const SOURCE = 'https://github.com/uNetworking/seed-corpus';
const COMMIT = '69f5fd36c102f0a7d527049983c0e2b2a822c23d';
const FETCHED = join(root, 'build', 'uws-corpora');
const INPUTS = join(root, 'build', 'fuzz', 'websocket', 'corpora');
const FETCH_MS_MAX = 300_000;
const REPLAY_MS_MAX = 15 * 60 * 1000;
/** Folders with what a peer sends; in the last two a handshake of HTTP stands in front. */
const STREAMS = ['WebSocket', 'PerMessageDeflate', 'EpollEchoServer', 'EpollEchoServerPubSub'];
/** A whole connection gets each stream byte by byte too: long ones would take most of the time. */
const STREAM_BYTES_MAX = { frames_fuzz: Number.POSITIVE_INFINITY, connection_fuzz: 16 * 1024 };
/** The first byte of an input of ours: see the seeds of the lane `fuzz websocket`. */
const OPTIONS = { frames_fuzz: [0, 1, 2, 6], connection_fuzz: [0, 2, 10] };
const OFFERS = 'Extensions';

async function findCorpora() {
  const given = process.env.RINGPOLL_UWS_CORPORA;
  if (given !== undefined) return given;
  if (!existsSync(join(FETCHED, OFFERS))) {
    const git = (what, ...args) => runStep(what, 'git', args, { msMax: FETCH_MS_MAX });
    await git('git clone of the corpora', 'clone', '--no-checkout', SOURCE, FETCHED);
    await git('git checkout of the corpora', '-C', FETCHED, 'checkout', COMMIT);
  }
  return FETCHED;
}

function filesOf(folder) {
  if (!existsSync(folder)) throw new Error(`${folder} is not there`);
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map(({ parentPath, path, name }) => readFileSync(join(parentPath ?? path, name)));
}

/** Their fuzzers cut an input into pieces: a byte says how long the next one is, 0 is the rest. */
function withoutCuts(bytes) {
  const pieces = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes[at] === 0 ? bytes.length : bytes[at];
    pieces.push(bytes.subarray(at + 1, at + 1 + length));
    at += 1 + length;
  }
  return Buffer.concat(pieces);
}

/** Each stream as it is and without its cuts, each with several options. How many that makes. */
function writeInputs(corpora, target) {
  const folder = join(INPUTS, target);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  let count = 0;
  for (const bytes of STREAMS.flatMap((name) => filesOf(join(corpora, name)))) {
    for (const stream of [bytes, withoutCuts(bytes)]) {
      if (stream.length > STREAM_BYTES_MAX[target]) continue;
      for (const option of OPTIONS[target]) {
        writeFileSync(join(folder, `${count++}`), Buffer.concat([Buffer.from([option]), stream]));
      }
    }
  }
  return count;
}

/** The head of the answer to a handshake with these bytes as its offer. */
async function answerTo(offer, port) {
  const socket = connect({ host: '127.0.0.1', port });
  const lines = [
    ...['GET / HTTP/1.1', 'Host: test', 'Upgrade: websocket', 'Connection: Upgrade'],
    ...['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13'],
    `Sec-WebSocket-Extensions: ${offer}`,
  ];
  socket.end(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'));
  const chunks = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks).toString('latin1').split('\r\n\r\n')[0];
}

const ACCEPTED = /^permessage-deflate(; [a-z_]+(=(9|1[0-5]))?)*$/;

/** An offer is accepted by what RFC 7692 allows, or not at all. Gives what was wrong. */
async function negotiate(corpora) {
  const { serve } = await import('ringpoll/http');
  const wrong = [];
  let accepted = 0;
  // What no field of HTTP may have in it is a space here.
  const text = (bytes) => bytes.toString('latin1').replace(/[^\t\x20-\x7e\x80-\xff]/g, ' ');
  const found = filesOf(join(corpora, OFFERS)).map((bytes) => text(bytes).slice(0, 4000));
  // Their parser looks at sums of words, so no word of an offer is in them: it is put beside.
  const offers = found.flatMap((one) => [
    one,
    `permessage-deflate; ${one}`,
    `${one}, permessage-deflate; client_max_window_bits`,
  ]);
  for (const dedicated of [false, true]) {
    const websocket = { perMessageDeflate: { dedicated } };
    const server = serve({ host: '127.0.0.1', port: 0, handler: () => 'http', websocket });
    for (const offer of offers) {
      const head = await answerTo(offer, server.port);
      const answer = /\r\nsec-websocket-extensions: (.*)/i.exec(head)?.[1];
      if (answer !== undefined) accepted++;
      const opened = /^HTTP\/1\.1 101 /.test(head);
      if (opened && (answer === undefined || ACCEPTED.test(answer))) continue;
      wrong.push(`${JSON.stringify(offer)}: ${head}`);
    }
    await server.stop({ timeout: 0 });
  }
  return { count: offers.length, accepted, wrong };
}

export async function run() {
  const result = { passed: 0, failed: 0, skipped: 0, notes: [] };
  let corpora;
  try {
    corpora = await findCorpora();
  } catch (error) {
    const [reason] = error.message.split('\n');
    return { ...result, skipped: 1, notes: [`the corpora cannot be fetched: ${reason}`] };
  }
  for (const target of Object.keys(OPTIONS)) {
    const count = writeInputs(corpora, target);
    const failed = await replay(target, join(INPUTS, target), REPLAY_MS_MAX);
    if (failed) console.log(failed);
    if (failed) result.failed++;
    else result.passed++;
    result.notes.push(failed ? failed.split('\n')[0] : `${target}: ${count} inputs`);
  }
  const { count, accepted, wrong } = await negotiate(corpora);
  for (const what of wrong.slice(0, 20)) console.log(what);
  if (wrong.length > 0) result.failed++;
  else result.passed++;
  result.notes.push(`${count} offers, twice: ${accepted} accepted, ${wrong.length} wrongly`);
  rmSync(INPUTS, { recursive: true, force: true });
  return result;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { passed, failed, skipped, notes } = await run();
  for (const note of notes) console.log(note);
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exit(failed > 0 ? 1 : 0);
}
