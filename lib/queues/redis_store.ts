// The stream of a queue: what is asked of Redis, and when it is asked again.
import { asError, RingpollError } from '../errors.js';
import {
  type Entry,
  entriesIn,
  entriesRead,
  entryIn,
  type RedisCommands,
  type RedisReader,
} from './redis_client.js';
import type { CheckedRedisQueue } from './redis_options.js';
import { BURY, DONE, FORGET, PUSH, REVIVE, TAKE } from './redis_scripts.js';

/** A reader looks up so often, so that it can be stopped. */
const BLOCK_MS = 1000;
const PAGE = 100;
/** Between two tries while Redis is away: from the first to the last. */
const AGAIN_MS = 20;
const AGAIN_MS_MAX = 1000;
/** Of dead letters. */
const ERROR_CHARACTERS_MAX = 1000;

export interface Delivery {
  readonly entry: Entry;
  /** 1 for the first. */
  readonly attempt: number;
}

export class RedisStore {
  readonly #client: RedisCommands;
  readonly #checked: CheckedRedisQueue<never>;
  readonly #consumer: string;
  readonly #keys: { dead: string; key: string };
  #reader: RedisReader | undefined;
  #warned = false;
  #over = false;

  constructor(client: RedisCommands, checked: CheckedRedisQueue<never>, consumer: string) {
    this.#client = client;
    this.#checked = checked;
    this.#consumer = consumer;
    this.#keys = { dead: `${checked.stream}:dead`, key: `${checked.stream}:key:` };
  }

  #script(source: string, keys: readonly string[], args: readonly unknown[]): Promise<unknown> {
    const list = ['EVAL', source, String(keys.length), ...keys, ...args.map(String)];
    return Promise.resolve(this.#client.sendCommand(list));
  }

  async push(payload: string, key: string): Promise<boolean> {
    const { stream, keyMs, maxJobs } = this.#checked;
    const args = [payload, key, keyMs, maxJobs];
    const answer = Number(await this.#script(PUSH, [stream, this.#keys.key + key], args));
    if (answer >= 0) return answer === 1;
    throw new RingpollError('ERR_RINGPOLL_QUEUE_FULL', `${maxJobs} jobs are not done yet`);
  }

  async length(): Promise<number> {
    return Number(await this.#client.sendCommand(['XLEN', this.#checked.stream]));
  }

  async deadLetters(): Promise<Entry[]> {
    const args = ['XRANGE', this.#keys.dead, '-', '+', 'COUNT', String(this.#checked.maxDead)];
    return entriesIn(await this.#client.sendCommand(args));
  }

  async revive(): Promise<number> {
    let all = 0;
    for (;;) {
      const keys = [this.#checked.stream, this.#keys.dead];
      const count = Number(await this.#script(REVIVE, keys, []));
      all += count;
      if (count === 0) return all;
    }
  }

  /** Another attempt at a job of this consumer; undefined: there is none to be made. */
  takeOwn(id: string): Promise<Delivery | undefined> {
    return this.#take(id, this.#consumer, 0);
  }

  /** A job that its consumer has had for too long, unless another one was faster. */
  takeOld(id: string): Promise<Delivery | undefined> {
    return this.#take(id, '', this.#checked.visibilityMs);
  }

  async #take(id: string, owner: string, idleMs: number): Promise<Delivery | undefined> {
    const { stream, group } = this.#checked;
    const reply = await this.#script(TAKE, [stream], [group, this.#consumer, id, owner, idleMs]);
    if (!Array.isArray(reply)) return undefined;
    const entry = entryIn(reply[1]);
    return entry === undefined ? undefined : { entry, attempt: Number(reply[0]) };
  }

  async done(id: string): Promise<void> {
    await this.#script(DONE, [this.#checked.stream], [this.#checked.group, id]);
  }

  /** True: it is a dead letter, by this call. */
  async bury({ id, fields }: Entry, attempts: number, error: Error): Promise<boolean> {
    const { stream, group, maxDead } = this.#checked;
    const keys = [stream, this.#keys.dead, this.#keys.key + (fields.get('key') ?? '')];
    const text = String(error.message).slice(0, ERROR_CHARACTERS_MAX);
    const args = [group, id, maxDead, attempts, text];
    return Number(await this.#script(BURY, keys, args)) === 1;
  }

  /** Makes the group; jobs that were pushed before are in it. */
  async openGroup(): Promise<void> {
    const { stream, group } = this.#checked;
    try {
      await this.#client.sendCommand(['XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM']);
    } catch (error) {
      if (!/BUSYGROUP/.test(asError(error).message)) throw error;
    }
  }

  async openReader(): Promise<void> {
    if (this.#reader !== undefined) return;
    const reader = this.#client.duplicate();
    // What is under way rejects as well: that is told once.
    reader.on('error', () => {});
    this.#reader = reader;
    try {
      await reader.connect();
    } catch (error) {
      this.closeReader();
      throw error;
    }
  }

  closeReader(): void {
    const reader = this.#reader;
    this.#reader = undefined;
    try {
      if (reader?.destroy !== undefined) reader.destroy();
      else reader?.disconnect?.();
    } catch {
      // It was not open.
    }
  }

  /** New jobs, up to `count`; waits for the first one for a while. */
  async read(count: number): Promise<Entry[]> {
    const args = ['COUNT', String(count), 'BLOCK', String(BLOCK_MS)];
    return entriesRead(
      await this.#reader?.sendCommand([...this.#readAs(), ...args, ...this.#of('>')]),
    );
  }

  /** Jobs that this consumer has got, behind the one of that id. */
  async readOwn(id: string): Promise<Entry[]> {
    const command = [...this.#readAs(), 'COUNT', String(PAGE), ...this.#of(id)];
    return entriesRead(await this.#client.sendCommand(command));
  }

  #readAs(): string[] {
    return ['XREADGROUP', 'GROUP', this.#checked.group, this.#consumer];
  }

  #of(id: string): string[] {
    return ['STREAMS', this.#checked.stream, id];
  }

  /** Ids of jobs whose consumers have had them for too long. */
  async old(): Promise<string[]> {
    const { stream, group, visibilityMs } = this.#checked;
    const idle = ['IDLE', String(visibilityMs)];
    const args = ['XPENDING', stream, group, ...idle, '-', '+', String(PAGE)];
    const reply = await this.#client.sendCommand(args);
    return Array.isArray(reply) ? reply.map((each) => String((each as unknown[])[0])) : [];
  }

  /** Forgets consumers that were idle for so long, and this one when `own` says so. */
  async forget(idleMs: number, own: boolean): Promise<void> {
    const { stream, group } = this.#checked;
    await this.#script(FORGET, [stream], [group, idleMs, own ? this.#consumer : '']);
  }

  /**
   * Until Redis has done it: what is known here must not be lost because Redis is away. Undefined:
   * the queue is destroyed.
   */
  async insist<R>(ask: () => Promise<R>): Promise<R | undefined> {
    for (let ms = AGAIN_MS; !this.#over; ms = Math.min(2 * ms, AGAIN_MS_MAX)) {
      try {
        const answer = await ask();
        this.#warned = false;
        return answer;
      } catch (error) {
        if (this.#over) return undefined;
        this.failed(error);
        await new Promise((resolve) => setTimeout(resolve, ms));
      }
    }
    return undefined;
  }

  failed(reason: unknown): void {
    const error = asError(reason);
    const { error: tell } = this.#checked;
    if (tell !== undefined) tell(error);
    else if (!this.#warned) process.emitWarning(error);
    this.#warned = true;
  }

  destroy(): void {
    this.#over = true;
    this.closeReader();
  }
}
