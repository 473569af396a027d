// Builds test/http/parser_driver.cc when it is stale and runs requests through it.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cxxCompiler } from '../../scripts/toolchain.mjs';
import { includes, parserHeaders, parserSources } from './parser_sources.mjs';

const top = fileURLToPath(new URL('../../', import.meta.url));
const folder = join(top, 'build', 'http');
const program = join(folder, 'parser_driver');
const OUTPUT_BYTES_MAX = 512 * 1024 * 1024;
const RUN_MS_MAX = 60_000;

/** What the hook that calls buildDriver() should be given: compiling has no limit of time. */
export const BUILD_MS_MAX = 0;

export type Header = [name: string, value: string, id: number];

export type Event =
  | {
      event: 'request';
      method: string;
      target: string;
      headers: Header[];
      methodId: number;
      flags: number;
      contentLength: number;
      query: number;
      known: number;
      host: number;
    }
  | { event: 'body'; bytes: string }
  | { event: 'trailers'; headers: Header[] }
  | { event: 'end' }
  | { event: 'error'; code: string; status: number; offset: number }
  | { event: 'mismatch'; how: string; events: string }
  | { event: 'eof'; state: string; unread: number };

/** Bits of `flags`, as in native/core/http/parser/record.h. */
export const Flag = {
  keepAlive: 1,
  hasBody: 2,
  chunked: 4,
  contentLength: 8,
  expectContinue: 16,
  upgrade: 32,
  version11: 64,
  targetMask: 3 << 8,
  targetAbsolute: 1 << 8,
  targetAuthority: 2 << 8,
  targetAsterisk: 3 << 8,
} as const;

/** Bits of --lenient, as in native/core/http/parser/options.h. */
export const Lenient = {
  bareLineFeed: 1,
  host: 2,
  target: 4,
  value: 8,
  lengthAndChunked: 16,
  transferCodings: 32,
  chunkSpace: 64,
  all: 127,
} as const;

export function buildDriver(): void {
  const sources = [join(top, 'test/http/parser_driver.cc'), ...parserSources];
  const changed = Math.max(...[...sources, ...parserHeaders].map((file) => statSync(file).mtimeMs));
  if (existsSync(program) && statSync(program).mtimeMs > changed) return;
  mkdirSync(folder, { recursive: true });
  // Another test file may be building it too: each to a name of its own, the last rename wins.
  const mine = `${program}.${process.pid}`;
  const flags = ['-std=c++20', '-O1', '-Wall', '-Wextra', '-Werror', '-fno-exceptions'];
  execFileSync(cxxCompiler() ?? 'c++', [...flags, ...includes, ...sources, '-o', mine]);
  renameSync(mine, program);
}

export function readTables() {
  return JSON.parse(execFileSync(program, ['--tables'], { encoding: 'utf8' })) as {
    methods: string[];
    headers: string[];
    errors: { code: string; status: number; message: string }[];
    words: Record<string, number>;
  };
}

/** One list of events for each input. Characters U+0000 to U+00FF stand for bytes. */
export function runDriver(inputs: string[], args: string[] = []): Event[][] {
  const frames = inputs.flatMap((input) => {
    const bytes = Buffer.from(input, 'latin1');
    const header = Buffer.alloc(4);
    header.writeUInt32LE(bytes.length);
    return [header, bytes];
  });
  const output = execFileSync(program, args, {
    input: Buffer.concat(frames),
    maxBuffer: OUTPUT_BYTES_MAX,
    timeout: RUN_MS_MAX,
    encoding: 'utf8',
  });
  const all: Event[][] = [[]];
  for (const line of output.split('\n')) {
    if (line === '') continue;
    const event = JSON.parse(line) as Event;
    all[all.length - 1].push(event);
    if (event.event === 'eof') all.push([]);
  }
  all.pop();
  if (all.length !== inputs.length) throw new Error('the driver left inputs without an answer');
  return all;
}

export interface Message {
  method: string;
  target: string;
  /** name, value, name, value, ... as node:http's rawHeaders. */
  rawHeaders: string[];
  flags: number;
  body: string;
  rawTrailers: string[];
  complete: boolean;
}

export interface Outcome {
  messages: Message[];
  error?: { code: string; status: number; offset: number };
  /** Where the connection stood when the input was over. */
  state: string;
  unread: number;
}

const flat = (headers: Header[]) => headers.flatMap((header) => header.slice(0, 2) as string[]);

/** Puts the events of one input together. A mismatch between ways to run it is an exception. */
export function summarise(events: Event[]): Outcome {
  const outcome: Outcome = { messages: [], state: '', unread: 0 };
  const last = () => outcome.messages[outcome.messages.length - 1];
  for (const event of events) {
    switch (event.event) {
      case 'request': {
        const { method, target, flags } = event;
        const rawHeaders = flat(event.headers);
        outcome.messages.push({
          ...{ method, target, rawHeaders, flags },
          ...{ body: '', rawTrailers: [], complete: false },
        });
        break;
      }
      case 'body':
        last().body += event.bytes;
        break;
      case 'trailers':
        last().rawTrailers = flat(event.headers);
        break;
      case 'end':
        last().complete = true;
        break;
      case 'error':
        outcome.error = { code: event.code, status: event.status, offset: event.offset };
        break;
      case 'eof':
        outcome.state = event.state;
        outcome.unread = event.unread;
        break;
      case 'mismatch':
        throw new Error(
          `${event.how} gives other events:\n${event.events}${JSON.stringify(events)}`,
        );
    }
  }
  return outcome;
}
