// What a seed stands for: some links, what each of their two sides does, and what each must see.
// The model knows no engine and no socket; what it expects follows from the script alone.
import { createHash } from 'node:crypto';

export type SideName = 'client' | 'server';
export const sideNames: readonly SideName[] = ['client', 'server'];

export type Step =
  | { do: 'write'; how: 'write' | 'writev' | 'cork' | 'tryWrite'; pieces: (string | Buffer)[] }
  /** write(), and drained() should it answer false. */
  | { do: 'obedient'; piece: Buffer }
  /** Until everything has come that the other side has written so far. */
  | { do: 'catchUp' }
  | { do: 'pause' }
  | { do: 'resume' }
  | { do: 'yield' };

/** How a link ends, once everything has arrived; `abrupt` does not wait for that. */
export type Ending = 'both end' | 'answer after end' | 'close' | 'reset' | 'abrupt reset';

export interface Side {
  steps: Step[];
  /** Keeps all received chunks until the end instead of copying them at once. */
  retains: boolean;
}

export interface Link {
  sides: Record<SideName, Side>;
  ending: Ending;
  /** Who ends, closes or resets first. */
  first: SideName;
  /** What the other side says after the first has ended. */
  answer: Buffer;
}

export interface Script {
  links: Link[];
  /** Decides the order in which the sides take their steps. */
  schedule: Random;
}

/** A generator of numbers from a seed: the same everywhere. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 to limit - 1. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  /** Mostly small, now and then more than a buffer or a socket holds. */
  size(): number {
    const kind = this.below(100);
    if (kind < 60) return 1 + this.below(200);
    if (kind < 90) return 1 + this.below(20_000);
    return 1 + this.below(400_000);
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    let state = this.below(0x7fffffff) | 1;
    for (let index = 0; index < length; index += 1) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      bytes[index] = state >>> 24;
    }
    return bytes;
  }

  text(length: number): string {
    const alphabet = ['a', 'Z', '0', ' ', '\n', '\0', 'é', 'ß', '中', '🙂'];
    let text = '';
    for (let index = 0; index < length; index += 1) text += this.pick(alphabet);
    return text;
  }
}

function payload(random: Random): string | Buffer {
  return random.chance(30) ? random.text(1 + (random.size() >> 3)) : random.bytes(random.size());
}

function step(random: Random): Step {
  const kind = random.below(100);
  if (kind < 45) {
    const how = random.pick(['write', 'write', 'writev', 'cork', 'tryWrite'] as const);
    const count = how === 'writev' || how === 'cork' ? 1 + random.below(8) : 1;
    return { do: 'write', how, pieces: Array.from({ length: count }, () => payload(random)) };
  }
  if (kind < 55) return { do: 'obedient', piece: random.bytes(random.size()) };
  if (kind < 65) return { do: 'catchUp' };
  if (kind < 75) return { do: 'pause' };
  if (kind < 85) return { do: 'resume' };
  return { do: 'yield' };
}

function side(random: Random): Side {
  const steps = Array.from({ length: random.below(25) }, () => step(random));
  return { steps, retains: random.chance(30) };
}

const endings: readonly Ending[] = [
  'both end',
  'answer after end',
  'close',
  'reset',
  'abrupt reset',
];

/** `resets` says whether the transport knows a reset that the peer sees; Unix sockets do not. */
export function makeScript(seed: number, { resets = true } = {}): Script {
  const random = new Random(seed);
  const links = Array.from({ length: 1 + random.below(8) }, () => ({
    sides: { client: side(random), server: side(random) },
    ending: random.pick(resets ? endings : endings.slice(0, 3)),
    first: random.pick(sideNames),
    answer: random.bytes(random.size()),
  }));
  return { links, schedule: new Random(seed ^ 0x5bd1e995) };
}

export const otherSide = (name: SideName): SideName => (name === 'client' ? 'server' : 'client');

/** Everything that a step writes. */
export function written(taken: Step): Buffer {
  if (taken.do === 'obedient') return taken.piece;
  if (taken.do !== 'write') return Buffer.alloc(0);
  return Buffer.concat(taken.pieces.map((piece) => Buffer.from(piece as string)));
}

/** What one side must have received when all is over. */
export function expectedBytes(link: Link, name: SideName): Buffer {
  const parts = link.sides[otherSide(name)].steps.map(written);
  if (link.ending === 'answer after end' && name === link.first) parts.push(link.answer);
  return Buffer.concat(parts);
}

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex').slice(0, 16);

/**
 * One line for what a side has seen. In how many chunks the data came, and when there was room to
 * write, is the kernel's business: data events that only a drain parts count as one.
 */
export function transcriptLine(
  link: number,
  name: SideName,
  events: readonly string[],
  received: Uint8Array | undefined,
  closeCode: string | undefined,
): string {
  const bytes = received === undefined ? 'a prefix' : `${received.length}:${digest(received)}`;
  const seen = events.filter((event) => event !== 'drain');
  const told = seen.filter((event, index) => event !== 'data' || seen[index - 1] !== 'data');
  return `${link} ${name}: ${told.join(' ')} [${bytes}] ${closeCode ?? 'in order'}`;
}

function expectedLine(link: Link, index: number, name: SideName): string {
  const bytes = expectedBytes(link, name);
  const isFirst = name === link.first;
  const events = ['open', ...(bytes.length > 0 ? ['data'] : [])];
  switch (link.ending) {
    case 'both end':
    case 'answer after end':
      return transcriptLine(index, name, [...events, 'end', 'close'], bytes, undefined);
    case 'close':
      events.push(...(isFirst ? ['close'] : ['end', 'close']));
      return transcriptLine(index, name, events, bytes, undefined);
    case 'reset':
      events.push(...(isFirst ? ['close'] : ['error', 'close']));
      return transcriptLine(index, name, events, bytes, isFirst ? undefined : 'ECONNRESET');
    case 'abrupt reset': {
      const code = isFirst ? undefined : 'ECONNRESET';
      const over = isFirst ? ['close'] : ['error', 'close'];
      return transcriptLine(index, name, ['open', ...over], undefined, code);
    }
  }
}

export function expectedTranscript({ links }: Script): string[] {
  return links.flatMap((link, index) => sideNames.map((name) => expectedLine(link, index, name)));
}

/** The same for every engine, or one of them is wrong. */
export function transcriptHash(lines: readonly string[]): string {
  return digest(Buffer.from(lines.join('\n')));
}
