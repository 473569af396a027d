// Turns what users hand to `compute()` into code that a worker can load.
import { invalidArgType, invalidArgValue, RingpollError } from '../../errors.js';
import type { Code } from './messages.js';

// The most recent code warms up new workers; more would only delay them.
const WARM_CODES_MAX = 16;
// Texts of functions that are told apart; of more, the oldest are sent anew.
const SOURCES_MAX = 1024;

export class CodeBook {
  readonly #functions = new WeakMap<object, Code>();
  // A function that is made anew for each call is the same code all the same.
  readonly #sources = new Map<string, Code>();
  readonly #modules = new Map<string, Code>();
  readonly #recent = new Set<Code>();
  #lastId = 0;

  /** @throws TypeError for something else, RingpollError ERR_RINGPOLL_WORKER_UNFIT */
  codeFor(job: unknown, exportName = 'default'): Code {
    const code = typeof job === 'function' ? this.#function(job) : this.#module(job, exportName);
    this.#recent.delete(code);
    this.#recent.add(code);
    if (this.#recent.size > WARM_CODES_MAX) {
      for (const oldest of this.#recent) {
        this.#recent.delete(oldest);
        break;
      }
    }
    return code;
  }

  /** What a new worker should load before it gets work. */
  recent(): Code[] {
    return [...this.#recent];
  }

  #function(job: object): Code {
    const known = this.#functions.get(job);
    if (known !== undefined) return known;
    const text = Function.prototype.toString.call(job);
    const code = this.#sources.get(text) ?? { id: ++this.#lastId, source: expressionOf(text) };
    this.#sources.set(text, code);
    if (this.#sources.size > SOURCES_MAX) {
      for (const oldest of this.#sources.keys()) {
        this.#sources.delete(oldest);
        break;
      }
    }
    this.#functions.set(job, code);
    return code;
  }

  #module(job: unknown, exportName: string): Code {
    if (!(job instanceof URL) && typeof job !== 'string') {
      throw invalidArgType('job', 'a function or the URL of a module', job);
    }
    const url = urlOf(job);
    const name = `${exportName} ${url}`;
    const known = this.#modules.get(name);
    if (known !== undefined) return known;
    const code = { id: ++this.#lastId, url, exportName };
    this.#modules.set(name, code);
    return code;
  }
}

function urlOf(job: URL | string): string {
  try {
    return new URL(job).href;
  } catch {
    throw invalidArgValue('job', 'an absolute URL', job);
  }
}

/** The text of a method (`name() {}`), unlike that of other functions, is no expression. */
function expressionOf(text: string): string {
  for (const source of [text, `Object.values({ ${text} })[0]`]) {
    try {
      // Only parsed here, never called.
      new Function(`return (${source})`);
      return source;
    } catch {
      // The next form may do.
    }
  }
  throw new RingpollError(
    'ERR_RINGPOLL_WORKER_UNFIT',
    'Native and bound functions have no source text that a worker could run',
  );
}
