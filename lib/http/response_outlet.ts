// What a response asks of its connection. A session is one.
import type { FileHandle } from '../fs/index.js';
import type { Connection } from '../tcp/connection.js';
import type { Handlers } from '../tcp/connection_handlers.js';
import type { HeadFinder } from './templates.js';

export type Body = string | Uint8Array;

/** Counts responses. */
export interface ResponseMeter<Response> {
  /** All of it was handed over; `body` is what was given at once. */
  answered(response: Response, body?: Body, status?: number): void;
  /** The head of it is about to be sent: fields may be added. */
  heading?(response: Response): void;
  /** The peer was gone before that. */
  dropped(response: Response): void;
}

export interface ResponseOutlet<Response> {
  /** undefined: nobody counts. */
  readonly meter: ResponseMeter<Response> | undefined;
  /** undefined: it carries other responses at the same time. */
  readonly connection: Connection | undefined;
  readonly templates: HeadFinder;
  /** What is below knows where a body ends: it is not framed here. */
  readonly http2: boolean;
  readonly peerIsGone: boolean;

  /** Sends a whole response. `head` is a word as Respond describes it. */
  respond(head: number, fields: string, body: Body): void;
  respondHead(head: number, fields: string, length: number): void;
  /** Bytes of the first response, framed. */
  send(data: Body): void;
  /** An informational response: its status line and its fields. */
  informational(text: string): void;
  /** The response that was sent in pieces is complete; `trailers` are those that no frame has. */
  done(trailers?: string): void;
  /** Sends a part of a file as the body, or a piece of it. */
  sendRange(file: FileHandle, start: number, length: number): Promise<void>;
  /** False: await drained(). */
  belowMark(): boolean;
  /** Resolves when the first response may go on. */
  drained(): Promise<void>;
  /** Whether the connection is over. */
  lost(): boolean;

  /** Bytes (or characters) wait for the responses before; negative: they do not any more. */
  waits(length: number): void;
  /** Whether the connection may carry another request after the one with these flags. */
  keepsAlive(flags: number, response: Response): boolean;
  /** The first response is complete; the next one may be written. */
  responseEnded(response: Response): void;
  /** The response is complete, and its request perhaps not. */
  forgetBody(response: Response): void;
  /** A response cannot go on, and the peer must not take it for complete. */
  breakOff(response: Response): void;
  /** The connection speaks something else from now on, and has no handlers yet. */
  leave(response: Response): Connection;
  /** The connection becomes the user's. */
  handOver<Data>(response: Response, handlers: Handlers<Data>): Connection<Data>;
}
