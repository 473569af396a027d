// A message as the hooks of crossws see it. It stays valid: bytes are a copy.
import { Buffer } from 'node:buffer';
import { inspect } from 'node:util';
import { crypto } from '../builtins.js';
import type { Peer } from './peer.js';

/** A message: https://crossws.h3.dev/guide/message has its reference. */
export interface Message {
  readonly id: string;
  readonly peer?: Peer;
  /** Text as a string, bytes as a Buffer. */
  readonly rawData: unknown;
  /** As `peer.websocket.binaryType` says; rawData when that says nothing. */
  readonly data: unknown;
  uint8Array(): Uint8Array;
  arrayBuffer(): ArrayBuffer | SharedArrayBuffer;
  blob(): Blob;
  text(): string;
  json<T = unknown>(): T;
  toString(): string;
}

export class PeerMessage implements Message {
  readonly rawData: string | Buffer;
  readonly peer: Peer;
  #id: string | undefined;

  constructor(rawData: string | Buffer, peer: Peer) {
    this.rawData = rawData;
    this.peer = peer;
  }

  get id(): string {
    this.#id ??= crypto().randomUUID();
    return this.#id;
  }

  get data(): unknown {
    switch (this.peer.websocket.binaryType) {
      case 'arraybuffer':
        return this.arrayBuffer();
      case 'blob':
        return this.blob();
      case 'nodebuffer':
        return Buffer.from(this.uint8Array());
      case 'uint8array':
        return this.uint8Array();
      case 'text':
        return this.text();
      default:
        return this.rawData;
    }
  }

  uint8Array(): Uint8Array {
    return typeof this.rawData === 'string' ? Buffer.from(this.rawData, 'utf8') : this.rawData;
  }

  arrayBuffer(): ArrayBuffer {
    const copy = new Uint8Array(this.uint8Array());
    return copy.buffer as ArrayBuffer;
  }

  blob(): Blob {
    return new Blob([this.arrayBuffer()]);
  }

  text(): string {
    return typeof this.rawData === 'string' ? this.rawData : this.rawData.toString('utf8');
  }

  /** @throws SyntaxError */
  json<T = unknown>(): T {
    return JSON.parse(this.text()) as T;
  }

  toString(): string {
    return this.text();
  }
  [Symbol.toPrimitive](): string {
    return this.text();
  }
  [inspect.custom](): unknown {
    return { message: { id: this.id, peer: this.peer, text: this.text() } };
  }
}
