// Reads llhttp's fixtures: what each case sends and what llhttp makes of it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Message } from './driver.js';

export interface Case {
  /** `file: title`, made unique by a number where titles repeat. */
  name: string;
  /** strict request, request that is ended by the peer, ... */
  type: string;
  input: string;
  expected: Expectation;
}

export type CorpusMessage = Omit<Message, 'flags'> & { version: string };

export interface Expectation {
  messages: CorpusMessage[];
  /** llhttp refuses it. */
  error?: string;
  /** llhttp hands the rest of the connection over. */
  upgrade: boolean;
  /** llhttp refuses what follows a request that closes the connection. */
  dataAfterClose: boolean;
  /** What llhttp_finish() returns, in the cases that call it. */
  finish?: number;
}

const CASE = /<!--\s*meta=(\{.*?\})\s*-->\s*```http\n(.*?)```.*?```log\n(.*?)```/gs;
const ESCAPES: Record<string, string> = { r: '\r', n: '\n', t: '\t', f: '\f' };
const UPGRADE = 22;
const DATA_AFTER_CLOSE = 5;

// The fixtures count bytes as if the escape were a character of a text in UTF-8.
const utf8 = (character: number) => Buffer.from(String.fromCharCode(character)).toString('latin1');

/** The last newline is dropped, a backslash before one joins lines, the others mean CRLF. */
function decodeInput(block: string): string {
  return block
    .replace(/\n$/, '')
    .replaceAll('\\\n', '')
    .replaceAll('\n', '\r\n')
    .replace(/\\(?:([rntf])|x([0-9a-fA-F]{2}))/g, (_, letter?: string, hex?: string) =>
      letter ? ESCAPES[letter] : utf8(Number.parseInt(hex ?? '', 16)),
    );
}

class LogReader {
  readonly expectation: Expectation = { messages: [], upgrade: false, dataAfterClose: false };
  #begun: CorpusMessage = LogReader.#empty();
  #headersDone = false;
  #headersOffset = -1;
  #field = '';
  #value = '';

  static #empty(): CorpusMessage {
    const lists = { rawHeaders: [], rawTrailers: [] };
    return { method: '', target: '', version: '', ...lists, body: '', complete: false };
  }

  read(log: string, input: string): Expectation {
    for (const line of log.split('\n')) {
      const finish = /finish=(\d+)/.exec(line);
      if (finish) this.expectation.finish = Number(finish[1]);
      const [, off, rest] = /^off=(\d+) (.*)$/.exec(line) ?? [];
      if (off !== undefined) this.#line(Number(off), rest, input);
    }
    return this.expectation;
  }

  #line(off: number, line: string, input: string): void {
    const span = /^len=(\d+) span\[(\w+)\]/.exec(line);
    const error = /^error code=(\d+) reason="(.*)"/.exec(line);
    if (span) this.#span(span[2], input.slice(off, off + Number(span[1])));
    else if (error) this.#error(off, Number(error[1]), error[2]);
    else if (line === 'message begin') this.#begin();
    else if (line === 'header_value complete') this.#fieldComplete();
    else if (line.startsWith('headers complete')) this.#headersComplete(off);
    else if (line === 'message complete') this.#begun.complete = true;
  }

  #begin(): void {
    this.#begun = LogReader.#empty();
    this.#headersDone = false;
    this.#field = this.#value = '';
  }

  #headersComplete(off: number): void {
    this.#headersDone = true;
    this.#headersOffset = off;
    this.expectation.messages.push(this.#begun);
  }

  #fieldComplete(): void {
    const list = this.#headersDone ? this.#begun.rawTrailers : this.#begun.rawHeaders;
    // llhttp leaves the spaces behind a value to its caller.
    list.push(this.#field, this.#value.replace(/[ \t]+$/, ''));
    this.#field = this.#value = '';
  }

  #span(kind: string, bytes: string): void {
    if (kind === 'method') this.#begun.method += bytes;
    if (kind === 'url') this.#begun.target += bytes;
    if (kind === 'version') this.#begun.version += bytes;
    if (kind === 'body') this.#begun.body += bytes;
    if (kind === 'header_field') this.#field += bytes;
    if (kind === 'header_value') this.#value += bytes;
  }

  #error(off: number, code: number, reason: string): void {
    this.expectation.upgrade ||= code === UPGRADE;
    this.expectation.dataAfterClose ||= code === DATA_AFTER_CLOSE;
    if (code === UPGRADE || code === DATA_AFTER_CLOSE) return;
    this.expectation.error = reason;
    // Refused for what its headers say, right after they were complete.
    if (off === this.#headersOffset && !this.#begun.complete) this.expectation.messages.pop();
  }
}

export interface Corpus {
  folder: string;
  /** Why there are no fixtures, if there are none. */
  missing?: string;
  /** What says that there have to be: a test without them fails then. */
  demandedBy?: string;
}

/**
 * Where the fixtures are: in the folder of corpora that RINGPOLL_CORPORA names, otherwise in
 * `sibling`, a folder beside the checkout. They have to be there when that variable or that folder
 * is, and in continuous integration, which sets CI. An empty RINGPOLL_CORPORA asks for nothing.
 */
export function findCorpus(env: NodeJS.ProcessEnv, sibling: string): Corpus {
  const { RINGPOLL_CORPORA: named, CI = '' } = env;
  const folder = join(named || join(sibling, 'corpora'), 'llhttp', 'test', 'request');
  const missing = existsSync(folder) ? undefined : `there is no ${folder}`;
  if (named === '') return { folder, missing };
  const integrates = CI !== '' && CI !== 'false';
  const byPlace = existsSync(sibling) ? sibling : undefined;
  const demandedBy = named ? 'RINGPOLL_CORPORA' : (byPlace ?? (integrates ? 'CI' : undefined));
  return { folder, missing, demandedBy };
}

export function readCorpus(folder: string): Case[] {
  const cases: Case[] = [];
  const seen = new Map<string, number>();
  for (const file of readdirSync(folder).sort()) {
    // Bytes as characters, as everywhere here.
    const text = readFileSync(join(folder, file), 'latin1');
    for (const match of text.matchAll(CASE)) {
      const { type } = JSON.parse(match[1]) as { type: string };
      const titles = [...text.slice(0, match.index).matchAll(/^#+ (.*)$/gm)];
      const title = `${file.replace('.md', '')}: ${titles.at(-1)?.[1] ?? ''}`;
      const count = (seen.get(title) ?? 0) + 1;
      seen.set(title, count);
      const input = decodeInput(match[2]);
      const skipsBody = /"skipBody":\s*true/.test(match[1]);
      cases.push({
        name: count === 1 ? title : `${title} (${count})`,
        type: skipsBody ? `${type}-skip-body` : type,
        input,
        expected: new LogReader().read(match[3], input),
      });
    }
  }
  return cases;
}
