// What callers may ask for: where operations on files go.
import { type OptionNames, optionNames } from '../option_names.js';
import type { OpenedFile } from './file.js';
import { checkFileOptions, type EngineHint, hintOf, type Routes, routesFor } from './routes.js';

export interface SendOptions {
  /**
   * Who reads what is sent. 'uring': the ring, also what is in the page cache, which costs a copy.
   * 'pool': not the ring, so sendfile(2), and libuv's pool for what is not in the page cache.
   * 'auto': sendfile(2), and the ring (where there is one) for the rest. Default: the handle's.
   */
  engine?: EngineHint;
}

export const SEND = optionNames<SendOptions>('sendFile()', { engine: true });
export const SEND_TO = optionNames<{ start?: number; end?: number } & SendOptions>(
  'sendTo()',
  { start: true, end: true, engine: true },
  { length: 'end', offset: 'start', position: 'start' },
);

/** Those of the call's own hint, or else of the handle. */
export function routesOf(
  file: OpenedFile,
  options: { engine?: EngineHint } | undefined,
  known?: OptionNames,
): Routes {
  if (known !== undefined) checkFileOptions(known, options);
  return options?.engine === undefined ? file.routes : routesFor(hintOf(options));
}

export interface OpenOptions {
  /**
   * Where the operations of the handle should go. 'uring': to the ring, also what memory could
   * answer. 'pool': the ring is left alone, so to memory or libuv's pool. 'auto', the default: to
   * memory, the ring or the pool, the first that serves it. A hint never fails: what the ring does
   * not have goes to the pool, and explain() counts and explains the refusal.
   */
  engine?: EngineHint;
}

export const OPEN = optionNames<OpenOptions>('open()', { engine: true });
