// Topics that several processes share: what is published here is given to a backplane too, and what
// that brings from others is published here.
import { Buffer } from 'node:buffer';
import { isUint8Array } from 'node:util/types';
import { asError, invalidArgType, invalidArgValue } from '../errors.js';
import { onRejection } from '../runtime/rejection.js';
import { COMPRESS, Opcode } from './frames.js';
import { compressOf, type SendOptions } from './send_options.js';
import type { Sendable } from './socket.js';
import { bytesOf, checkTopic, publish } from './topics.js';

/** Carries messages from server to server. redisTopics() makes one. */
export interface Backplane {
  /**
   * To all other servers. `message` is opaque, and is the backplane's own. What it throws, or
   * rejects with, becomes a process warning: the message has reached the subscribers here.
   */
  publish(topic: string, message: Uint8Array): unknown;
  /**
   * Called once, when the server begins to listen: `deliver` takes what the others have published,
   * and never what this side did. May return a function, or a promise of one, that ends it.
   */
  onMessage(deliver: (topic: string, message: Uint8Array) => void): unknown;
}

const NOWHERE = -1;
/** Longer names have no subscribers anywhere. */
const TOPIC_BYTES_MAX = 1024;
const FLAGS = COMPRESS;
const relays = new WeakMap<Backplane, Relay>();

/** What one server does with one backplane. */
export class Relay {
  readonly #backplane: Backplane;
  #endpointId = NOWHERE;
  _started = false;
  #over = false;
  #stop: (() => unknown) | undefined;
  /** Failures are told once, until something goes well again. */
  #failing = false;

  private constructor(backplane: Backplane) {
    this.#backplane = backplane;
  }

  /** @throws TypeError ERR_RINGPOLL_INVALID_ARG_TYPE, _INVALID_ARG_VALUE when a server has it */
  static of(value: unknown, path: string): Relay {
    const backplane = value as Backplane;
    if (typeof backplane?.publish !== 'function' || typeof backplane.onMessage !== 'function') {
      throw invalidArgType(path, 'an object with publish() and onMessage()', value);
    }
    let relay = relays.get(backplane);
    if (relay?._started) throw invalidArgValue(path, 'one that no other server has', value);
    relay ??= new Relay(backplane);
    relays.set(backplane, relay);
    return relay;
  }

  start(endpointId: number): void {
    this.#endpointId = endpointId;
    this._started = true;
    this.#try(async () => {
      const stop = await this.#backplane.onMessage((topic, message) =>
        this.#deliver(topic, message),
      );
      if (typeof stop !== 'function') return;
      if (this.#over) await stop();
      else this.#stop = stop as () => unknown;
    });
  }

  over(): void {
    this.#over = true;
    this.#endpointId = NOWHERE;
    relays.delete(this.#backplane);
    if (this.#stop !== undefined) this.#try(this.#stop);
  }

  /** `flags` is 0 or COMPRESS. */
  send(topic: string, data: Sendable, flags: number): void {
    if (Buffer.byteLength(topic) > TOPIC_BYTES_MAX) return;
    const isText = typeof data === 'string';
    const payload = isText ? Buffer.from(data, 'utf8') : bytesOf(data);
    const message = new Uint8Array(1 + payload.length);
    message[0] = (isText ? Opcode.text : Opcode.binary) | flags;
    message.set(payload, 1);
    this.#try(() => this.#backplane.publish(topic, message));
  }

  #deliver(topic: string, message: Uint8Array): void {
    if (this.#endpointId === NOWHERE || !isUint8Array(message) || message.length === 0) return;
    const opcode = message[0] & ~FLAGS;
    if (opcode !== Opcode.text && opcode !== Opcode.binary) return;
    const { buffer, byteOffset, length } = message;
    const payload = Buffer.from(buffer, byteOffset + 1, length - 1);
    // Text that is none would make clients hang up on us.
    const data = opcode === Opcode.text ? payload.toString('utf8') : payload;
    publish(this.#endpointId, topic, data, message[0] & FLAGS);
  }

  #try(work: () => unknown): void {
    const failed = (reason: unknown) => {
      if (!this.#failing) process.emitWarning(asError(reason));
      this.#failing = true;
    };
    try {
      const result = work();
      onRejection(result, failed);
      onRejection(
        Promise.resolve(result).then(() => {
          this.#failing = false;
        }),
        () => {},
      );
    } catch (error) {
      failed(error);
    }
  }
}

/**
 * server.publish(): compressed as the options of the server say, unless those of the call do.
 * `compressed` undefined: it has no WebSockets.
 */
export function publishAs(
  endpointId: number,
  compressed: boolean | undefined,
  relaysOf: readonly Relay[],
  topic: string,
  data: Sendable,
  options: SendOptions | undefined,
): number {
  checkTopic(topic);
  const asked = options === undefined ? undefined : compressOf(options);
  if (compressed === undefined) return 0;
  const flags = (asked ?? compressed) ? COMPRESS : 0;
  const queued = publish(endpointId, topic, data, flags);
  for (const relay of relaysOf) relay.send(topic, data, flags);
  return queued;
}
