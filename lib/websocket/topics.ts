// Topics: a message is encoded once, and queued for all that have subscribed.
import { isUint8Array } from 'node:util/types';
import { invalidArgType, invalidArgValue, RingpollError } from '../errors.js';
import { runtime } from '../runtime/runtime.js';
import { Chunk, isForeignChunk } from '../tcp/chunk.js';
import { type FrameTarget, Opcode } from './frames.js';

const DONE = 1;
const TOO_MANY = -2;
const BAD_NAME = -3;
const NOBODY = -1;

export function checkTopic(topic: unknown): asserts topic is string {
  if (typeof topic !== 'string') throw invalidArgType('topic', 'a string', topic);
}

export function subscribe({ slot, generation }: FrameTarget, topic: string): boolean {
  checkTopic(topic);
  const result = runtime().native.webSocketSubscribe(slot, generation, topic);
  if (result === TOO_MANY) {
    throw new RingpollError('ERR_RINGPOLL_WEBSOCKET_TOPICS', 'There are too many subscriptions');
  }
  if (result === BAD_NAME) {
    throw invalidArgValue('topic', 'a name of 1 to 1,024 bytes, or a well-formed filter', topic);
  }
  return result === DONE;
}

/** Queues a message for the subscribers of a listener's topic; gives how many there are. */
export function publish(
  endpointId: number,
  topic: string,
  data: string | Uint8Array | Chunk,
  flags: number,
  except?: FrameTarget,
): number {
  checkTopic(topic);
  const isText = typeof data === 'string';
  const opcode = isText ? Opcode.text : Opcode.binary;
  return runtime().native.webSocketPublish(
    endpointId,
    topic,
    isText ? data : bytesOf(data),
    opcode | flags,
    except?.slot ?? NOBODY,
    except?.generation ?? 0,
  );
}

export function subscriberCount(endpointId: number, topic: string): number {
  checkTopic(topic);
  return runtime().native.webSocketSubscribers(endpointId, topic);
}

/** The bytes of what can be sent, and is no string. */
export function bytesOf(data: unknown): Uint8Array {
  if (isUint8Array(data)) return data;
  if (data instanceof Chunk || isForeignChunk(data)) return data.bytes;
  throw invalidArgType('data', 'a string, a Uint8Array or a Chunk', data);
}
