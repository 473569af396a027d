// A RESP session without a socket: what goes in as bytes comes out as one Latin-1 string.
import { allCommands } from '../../examples/resp/commands.mjs';
import { defaultLimits } from '../../examples/resp/protocol.mjs';
import { Session } from '../../examples/resp/session.mjs';
import { Store } from '../../examples/resp/store.mjs';

/** A request as an array of bulk strings; the arguments have one character a byte. */
export function encode(...words: string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
}

/** A request from a line of words separated by single spaces; '' stands for the empty word. */
export function request(line: string): string {
  return encode(...line.split(' ').map((word) => (word === "''" ? '' : word)));
}

export function bulk(value: string): string {
  return `$${value.length}\r\n${value}\r\n`;
}

export function bulks(...values: string[]): string {
  return `*${values.length}\r\n${values.map(bulk).join('')}`;
}

/** The connection that a session writes to, as a record of what it was told. */
export class RecordedOutput {
  readonly writes: string[] = [];
  readonly calls: string[] = [];
  /** What write() answers: whether the connection has room. */
  room = true;

  write(data: Uint8Array): boolean {
    this.writes.push(Buffer.from(data).toString('latin1'));
    return this.room;
  }

  writev(parts: Uint8Array[]): boolean {
    return this.write(Buffer.concat(parts));
  }

  pause(): void {
    this.calls.push('pause');
  }

  resume(): void {
    this.calls.push('resume');
  }

  end(): void {
    this.calls.push('end');
  }

  close(): void {
    this.calls.push('close');
  }
}

interface Settings {
  limits?: Partial<typeof defaultLimits>;
  now?: () => number;
  random?: () => number;
}

export class TestClient {
  readonly store: Store;
  readonly output = new RecordedOutput();
  readonly session: Session;

  constructor({ limits = {}, now = Date.now, random = () => 0 }: Settings = {}) {
    this.store = new Store(now);
    const server = {
      store: this.store,
      version: '1.2.3',
      limits: { ...defaultLimits, ...limits },
      random,
      commands: allCommands(),
      info: () => ({ Server: { engine: 'none' }, Stats: { answers: 42 } }),
    };
    this.session = new Session(7, server, this.output);
  }

  /** Feeds bytes and returns everything that was written because of them. */
  feed(bytes: string): string {
    const before = this.output.writes.length;
    this.session.receive(Buffer.from(bytes, 'latin1'));
    return this.output.writes.slice(before).join('');
  }

  /** Sends one request, given as a line of words, and returns the answer. */
  ask(line: string): string {
    return this.feed(request(line));
  }
}
