// `for await (const message of socket)`: linear code instead of handlers.
import { RingpollError } from '../errors.js';
import { runtime } from '../runtime/runtime.js';
import type { Message } from './handlers.js';

/** What an iterator asks of its socket. */
export interface MessageSource {
  _sink: MessageSink | undefined;
  readonly readyState: string;
  pause(): void;
  resume(): void;
  close(code?: number): void;
}

/** Takes the messages in the place of the handler. */
export interface MessageSink {
  message(message: Message): void;
  ended(clean: boolean): void;
}

interface Waiting {
  resolve(result: IteratorResult<Message>): void;
  reject(error: Error): void;
}

const NORMAL = 1000;

class MessageIterator implements AsyncIterableIterator<Message>, MessageSink {
  readonly #socket: MessageSource;
  readonly #messages: Message[] = [];
  readonly #waiting: Waiting[] = [];
  /** The one that the consumer has. */
  #lent: Message | undefined;
  #over = false;
  #error: Error | undefined;

  constructor(socket: MessageSource) {
    this.#socket = socket;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  message(message: Message): void {
    if (typeof message !== 'string') message._keep();
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) {
      waiting.resolve(this.#lend(message));
      return;
    }
    this.#messages.push(message);
    this.#socket.pause();
  }

  ended(clean: boolean): void {
    this.#over = true;
    if (!clean) {
      const text = 'The connection ended without a closing handshake';
      this.#error = new RingpollError('ERR_RINGPOLL_CONNECTION_CLOSED', text);
    }
    if (this.#messages.length > 0) return;
    for (const waiting of this.#waiting.splice(0)) this.#finish(waiting);
  }

  next(): Promise<IteratorResult<Message>> {
    this.#takeBack();
    const message = this.#messages.shift();
    if (message !== undefined) return Promise.resolve(this.#lend(message));
    return new Promise((resolve, reject) => {
      if (this.#over) {
        this.#finish({ resolve, reject });
        return;
      }
      this.#waiting.push({ resolve, reject });
      this.#socket.resume();
    });
  }

  /** The loop is left early: the socket is closed, and what still comes is dropped. */
  return(): Promise<IteratorResult<Message>> {
    this.#takeBack();
    for (const message of this.#messages.splice(0)) end(message);
    this.#over = true;
    this.#socket._sink = DROP;
    this.#socket.close(NORMAL);
    this.#socket.resume();
    return Promise.resolve({ done: true, value: undefined });
  }

  #finish({ resolve, reject }: Waiting): void {
    const error = this.#error;
    this.#error = undefined; // told once
    if (error !== undefined) reject(error);
    else resolve({ done: true, value: undefined });
  }

  #lend(message: Message): IteratorResult<Message> {
    this.#lent = message;
    return { done: false, value: message };
  }

  #takeBack(): void {
    if (this.#lent !== undefined) end(this.#lent);
    this.#lent = undefined;
  }
}

const DROP: MessageSink = { message: end, ended() {} };

function end(message: Message): void {
  if (typeof message !== 'string') message._endTurn(runtime().checked);
}

export function iterateMessages(socket: MessageSource): AsyncIterableIterator<Message> {
  const iterator = new MessageIterator(socket);
  if (socket.readyState === 'closed') iterator.ended(true);
  else socket._sink = iterator;
  return iterator;
}
