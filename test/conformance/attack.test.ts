// Everything that a client can do to a server, at random and all at once, while an honest client
// asks every face and must not notice. RINGPOLL_SEED repeats a run, RINGPOLL_ATTACK_MS makes it
// longer, RINGPOLL_ATTACK_ONLY is a part of the name of the flood that is to come without others.
import { expect, it } from 'vitest';
import { attack, type Ports, planFrom } from '../support/attackers.js';
import { FLOODS } from '../support/floods.js';
import { type Program, startProgram } from '../support/program.js';
import { Random } from '../support/random.js';
import { within } from '../support/recorder.js';

const SEED = Number(process.env.RINGPOLL_SEED ?? Math.floor(Math.random() * 2 ** 31));
const ATTACK_MS = Number(process.env.RINGPOLL_ATTACK_MS ?? 0);
const ONLY = process.env.RINGPOLL_ATTACK_ONLY;
const ATTACKERS = ONLY === undefined ? 12 : 0;
/** Paused connections of the mix whose peers have ended: they wait for their time-out. */
const PAUSED_MAX = 100;
const FLOOD_MS_MAX = 30_000;
const TEST_MS_MAX = 180_000 + ATTACK_MS;
const SETTLE_MS_MAX = 10_000;

/** Of memory, beyond what the server has when the honest client alone is there. */
const GROWTH_BYTES_MAX = 220 * 1024 * 1024;
/** Of work between two ticks of a timer. */
const TURN_MS_MAX = 400;
/** From the honest client's question to its answer: work of the server, and time. */
const ANSWER_WORK_MS_MAX = 500;
const ANSWER_MS_MAX = 8_000;
/** That are no connections, beyond those without an attack. */
const DESCRIPTORS_MAX = 64;

/** What the server has noticed since its last report: the most of each. */
interface Seen {
  turnMs: number;
  rss: number;
  /** That are no connections. */
  descriptors: number;
  connections: Record<keyof Ports, number>;
  pending: Record<string, number>;
}

interface Answers {
  answers: number;
  slowest: { face: string; ms: number; workMs: number };
  wrong: string[];
}

async function ask<T>(program: Program, when: string): Promise<T> {
  program.child.stdin!.write('\n');
  const line = program.line().catch((error: Error) => {
    throw new Error(`${when}: ${program.name} does not answer`, { cause: error });
  });
  return JSON.parse(await line) as T;
}

const megabytes = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MB`;

/** What goes on in the background until it is stopped. */
function mixFrom(ports: Ports, seed: number) {
  let stopping = false;
  const attacker = async (random: Random) => {
    while (!stopping) await attack(ports, planFrom(random));
  };
  const all = Array.from({ length: ATTACKERS }, (_, index) =>
    attacker(new Random(seed * ATTACKERS + index)),
  );
  return {
    stop() {
      stopping = true;
      return Promise.all(all);
    },
  };
}

/** What is wrong with what the two have seen during an attack. */
function complaints(base: Seen, seen: Seen, { answers, slowest, wrong }: Answers): string[] {
  const list = wrong.map((what) => `wrong answer: ${what}`);
  const growth = seen.rss - base.rss;
  if (growth > GROWTH_BYTES_MAX) list.push(`memory grew by ${megabytes(growth)}`);
  if (seen.turnMs > TURN_MS_MAX) list.push(`a turn of ${Math.round(seen.turnMs)} ms`);
  if (answers === 0) list.push('no answer to the honest client');
  const { face, ms, workMs } = slowest;
  if (ms > ANSWER_MS_MAX) list.push(`an answer took ${ms} ms`);
  if (workMs > ANSWER_WORK_MS_MAX) list.push(`an answer of ${face} took ${workMs} ms of work`);
  const descriptors = seen.descriptors - base.descriptors;
  if (descriptors > DESCRIPTORS_MAX) list.push(`${descriptors} descriptors more`);
  return list;
}

const total = ({ connections }: Seen) =>
  Object.values(connections).reduce((sum, count) => sum + count, 0);

/** What has been seen since the last report, once so many connections at most are left. */
async function seenUntil(server: Program, when: string, connectionsMax: number): Promise<Seen> {
  const until = performance.now() + SETTLE_MS_MAX;
  let seen = await ask<Seen>(server, when);
  while (total(seen) > connectionsMax && performance.now() < until) {
    const { turnMs, rss, descriptors } = seen;
    seen = await ask<Seen>(server, when);
    seen.turnMs = Math.max(seen.turnMs, turnMs);
    seen.rss = Math.max(seen.rss, rss);
    seen.descriptors = Math.max(seen.descriptors, descriptors);
  }
  return seen;
}

/** Resolves when nothing of the attack is left, or with what is left in the end. */
async function leftovers(server: Program, base: Seen): Promise<string[]> {
  const until = performance.now() + SETTLE_MS_MAX;
  for (;;) {
    const { pending, connections, descriptors } = await ask<Seen>(server, 'after the attack');
    const left: string[] = [];
    for (const [what, count] of Object.entries(pending)) {
      // The honest client goes on: one of each may be under way for it.
      if (count > 1) left.push(`${count} of ${what} are not over`);
    }
    for (const face of ['raw', 'fast', 'fetch'] as const) {
      const more = connections[face] - base.connections[face];
      if (more > 0) left.push(`${more} connections of ${face} are still open`);
    }
    if (descriptors > base.descriptors + 2) left.push(`${descriptors} descriptors are open`);
    if (left.length === 0 || performance.now() > until) return left;
  }
}

it(
  `any mix of attacks leaves an honest client its answers (RINGPOLL_SEED=${SEED})`,
  async () => {
    const random = new Random(SEED);
    const server = startProgram('attacked');
    const ports = JSON.parse(await server.line()) as Ports;
    const honest = startProgram('honest', {
      args: [JSON.stringify(ports), String(server.child.pid)],
    });
    expect(await honest.line()).toBe('ready');
    // Once everything has run, with attackers too: what that takes is no growth.
    const warmUp = mixFrom(ports, SEED + 1);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await warmUp.stop();
    expect((await ask<Answers>(honest, 'warming up')).wrong).toEqual([]);
    const base = await ask<Seen>(server, 'warming up');

    const found: string[] = [];
    const names = Object.keys(FLOODS)
      .filter((name) => name.includes(ONLY ?? ''))
      .sort(() => random.next() - 0.5);
    const until = performance.now() + ATTACK_MS;
    do {
      for (const name of names) {
        const mix = mixFrom(ports, random.below(2 ** 31));
        await within(FLOODS[name]!(ports, random), () => name, FLOOD_MS_MAX);
        const seen = await seenUntil(server, name, total(base) + ATTACKERS + PAUSED_MAX);
        const answers = await ask<Answers>(honest, name);
        found.push(...complaints(base, seen, answers).map((what) => `${name}: ${what}`));
        if (process.env.RINGPOLL_ATTACK_LOG) console.log(name, seen, base, answers);
        await mix.stop();
      }
    } while (performance.now() < until);
    found.push(...(await leftovers(server, base)));
    expect(found).toEqual([]);
  },
  TEST_MS_MAX,
);
