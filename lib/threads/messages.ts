// What a group and its threads tell each other. Only values pass: descriptors by their numbers,
// which are those of the whole process.
import type { Explanation } from '../loop/explain.js';
import type { PathAddress, SocketAddress } from '../runtime/native.js';

/** What a thread begins with. */
export interface ThreadStart {
  ringpollGroup: number;
  module: string;
  thread: number;
  threads: number;
  /** How many threads have had this number before. */
  generation: number;
  /** The processor to stay on. */
  cpu: number | undefined;
  data: unknown;
  /** The name of the channel for topics. */
  topics: string;
}

/** Where the module wants to listen. */
export interface Place {
  /** Addresses to try, one after the other; or one path. */
  names: string[];
  /** -1: a path. */
  port: number;
  /** How errors name it. */
  host: string;
  backlog: number;
  reusePort: boolean;
  ipv6Only: boolean;
  noDelay: boolean;
  keepAliveMs: number;
}

/** An error, and its own properties, which a clone loses. */
export interface ToldError {
  error: Error;
  properties: Record<string, unknown>;
}

export interface Answers {
  metrics: Record<string, number>;
  explain: Explanation;
}
export type Question = keyof Answers;

export type FromThread =
  | { kind: 'listen'; index: number; place: Place }
  | { kind: 'ready'; addresses: (SocketAddress | PathAddress)[]; threadId: number }
  | { kind: 'failed'; told: ToldError }
  | { kind: 'answer'; id: number; value: unknown }
  | { kind: 'stopped' };

export type ToThread =
  | { kind: 'listening'; index: number; listener: number }
  | { kind: 'refused'; index: number; told: ToldError }
  | { kind: 'ask'; id: number; what: Question }
  | { kind: 'publish'; topic: string; data: string | Uint8Array; compress: boolean | undefined }
  | { kind: 'stop'; timeout: number | undefined };

export function tell(error: Error): ToldError {
  return { error, properties: { ...error } };
}

export function told({ error, properties }: ToldError): Error {
  return Object.assign(error, properties);
}
