import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Chunk, Connection } from 'ringpoll';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  expectedBytes,
  expectedTranscript,
  type Link,
  makeScript,
  otherSide,
  type Script,
  type SideName,
  type Step,
  sideNames,
  transcriptHash,
  transcriptLine,
  written,
} from '../support/model.js';
import { codeOf, Recorder, Recorders } from '../support/recorder.js';
import { addressOf, dial, serve } from '../support/serve.js';

const SEEDS = Array.from({ length: 30 }, (_, index) => index + 1);
// One more that nobody has seen before; RINGPOLL_SEED runs it again.
const fresh = Number(process.env.RINGPOLL_SEED ?? Math.floor(Math.random() * 2 ** 31));
const SEED_MS_MAX = 20_000;

const turn = () => new Promise(setImmediate);

/** One end of a link as it runs. */
class Actor {
  readonly kept: Chunk[] = [];
  readonly recorder: Recorder;
  /** Bytes that this side has written so far. */
  writtenBytes = 0;
  next = 0;
  other!: Actor;

  constructor(
    readonly link: Link,
    readonly name: SideName,
  ) {
    this.recorder = new Recorder({
      data: (_connection, chunk) => {
        if (link.sides[name].retains) this.kept.push(chunk.retain());
      },
    });
  }

  get connection(): Connection {
    return this.recorder.connection;
  }

  get steps(): Step[] {
    return this.link.sides[this.name].steps;
  }

  async take(step: Step): Promise<void> {
    this.writtenBytes += written(step).length;
    const { connection } = this;
    switch (step.do) {
      case 'write':
        write(connection, step);
        break;
      case 'obedient':
        if (!connection.write(step.piece)) {
          // The reader may be paused, and then nothing would ever drain.
          this.other.connection.resume();
          await connection.drained();
        }
        break;
      case 'catchUp':
        connection.resume();
        await this.recorder.received(this.other.writtenBytes);
        break;
      case 'pause':
        connection.pause();
        break;
      case 'resume':
        connection.resume();
        break;
      case 'yield':
        await turn();
    }
  }

  /** What this side has seen, as one line, and whether what it kept is still whole. */
  finish(index: number): string {
    const received = Buffer.concat(this.recorder.chunks);
    if (this.link.sides[this.name].retains) {
      expect(Buffer.concat(this.kept.map((chunk) => chunk.bytes)).equals(received)).toBe(true);
      for (const chunk of this.kept) chunk.release();
    }
    const { order, closeError } = this.recorder;
    const abrupt = this.link.ending === 'abrupt reset';
    if (abrupt) {
      const all = expectedBytes(this.link, this.name);
      expect(all.subarray(0, received.length).equals(received)).toBe(true);
    }
    const events = abrupt ? order.filter((event) => event !== 'data') : order;
    const bytes = abrupt ? undefined : received;
    return transcriptLine(index, this.name, events, bytes, codeOf(closeError));
  }
}

function write(connection: Connection, { how, pieces }: Extract<Step, { do: 'write' }>): void {
  if (how === 'writev') {
    connection.writev(pieces);
  } else if (how === 'cork') {
    connection.cork(() => {
      for (const piece of pieces) connection.write(piece);
    });
  } else if (how === 'tryWrite') {
    const bytes = Buffer.from(pieces[0] as string);
    connection.write(bytes.subarray(connection.tryWrite(bytes)));
  } else {
    connection.write(pieces[0]!);
  }
}

/** Makes the links, on one listener, one after the other so that both ends are known. */
async function connectAll(script: Script, where: object): Promise<Record<SideName, Actor>[]> {
  const recorders = new Recorders();
  let coming: Actor | undefined;
  const listener = serve({
    ...where,
    allowHalfOpen: true,
    ...recorders.recording,
    open(connection) {
      connection.data = coming!.recorder;
      recorders.all.push(coming!.recorder);
      coming!.recorder.recording.open(connection as Connection);
    },
  });
  const links: Record<SideName, Actor>[] = [];
  for (const link of script.links) {
    const actors = { client: new Actor(link, 'client'), server: new Actor(link, 'server') };
    actors.client.other = actors.server;
    actors.server.other = actors.client;
    coming = actors.server;
    await dial({
      ...addressOf(listener),
      allowHalfOpen: true,
      ...actors.client.recorder.recording,
    });
    await actors.server.recorder.until('open');
    links.push(actors);
  }
  return links;
}

async function takeAllSteps(script: Script, actors: Actor[]): Promise<void> {
  const { schedule } = script;
  for (;;) {
    const ready = actors.filter(({ next, steps }) => next < steps.length);
    if (ready.length === 0) return;
    const actor = schedule.pick(ready);
    const step = actor.steps[actor.next]!;
    actor.next += 1;
    await actor.take(step);
    if (schedule.chance(25)) await turn();
  }
}

async function finishLink({ client, server }: Record<SideName, Actor>): Promise<void> {
  const { ending, first: name, answer } = client.link;
  const first = name === 'client' ? client : server;
  const second = first.other;
  client.connection.resume();
  server.connection.resume();
  if (ending !== 'abrupt reset') {
    await client.recorder.received(server.writtenBytes);
    await server.recorder.received(client.writtenBytes);
  }
  if (ending === 'both end') {
    first.connection.end();
    second.connection.end();
  } else if (ending === 'answer after end') {
    first.connection.end();
    await second.recorder.until('end');
    second.connection.write(answer);
    second.connection.end();
  } else if (ending === 'close') {
    first.connection.close();
    await second.recorder.until('end');
    second.connection.end();
  } else {
    first.connection.reset();
  }
  await client.recorder.until('close');
  await server.recorder.until('close');
}

async function play(script: Script, where: object): Promise<string[]> {
  const links = await connectAll(script, where);
  await takeAllSteps(
    script,
    links.flatMap((actors) => sideNames.map((name) => actors[name])),
  );
  await Promise.all(links.map(finishLink));
  return links.flatMap((actors, index) => sideNames.map((name) => actors[name].finish(index)));
}

async function check(seed: number, where: object): Promise<void> {
  console.log(`RINGPOLL_SEED=${seed}`);
  const script = makeScript(seed, { resets: !('path' in where) });
  const expected = expectedTranscript(script);
  const transcript = await play(script, where);
  expect(transcript).toEqual(expected);
  expect(transcriptHash(transcript)).toBe(transcriptHash(expected));
}

describe('random operations end as the model says, byte by byte', () => {
  it.each([...SEEDS, fresh])('over TCP, seed %i', (seed) => check(seed, {}), SEED_MS_MAX);

  it.each(SEEDS.slice(0, 10))(
    'over a Unix socket, seed %i',
    async (seed) => {
      const folder = mkdtempSync(join(tmpdir(), 'ringpoll-'));
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
      await check(seed, { path: join(folder, 'a.sock') });
    },
    SEED_MS_MAX,
  );

  it('and a seed always stands for the same', () => {
    const hash = (seed: number) => transcriptHash(expectedTranscript(makeScript(seed)));
    expect(hash(1)).toBe(hash(1));
    expect(hash(1)).not.toBe(hash(2));
    expect(otherSide('client')).toBe('server');
  });
});
