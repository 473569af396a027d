// Where commands write: results to standard output, progress to standard error.

export { table } from '../loop/text_table.js';

/** Work that takes longer than this says how far it is, and again after as long. */
const PROGRESS_EVERY_MS = 2000;

/** JSON has no Infinity, which limits are that are none. */
const withInfinity = (_key: string, value: unknown) =>
  value === Number.POSITIVE_INFINITY ? 'unlimited' : value;

export interface Output {
  /** True with --json: standard output then holds one JSON document and nothing else. */
  readonly json: boolean;
  line(text?: string): void;
  document(value: unknown): void;
  note(text: string): void;
}

export class StandardOutput implements Output {
  constructor(readonly json: boolean) {}

  line(text = ''): void {
    process.stdout.write(`${text}\n`);
  }

  document(value: unknown): void {
    process.stdout.write(`${JSON.stringify(value, withInfinity, 2)}\n`);
  }

  note(text: string): void {
    process.stderr.write(`${text}\n`);
  }
}

/** Says every two seconds what is still under way, until the promise is settled. */
export async function reporting<T>(
  output: Output,
  what: () => string,
  work: Promise<T>,
): Promise<T> {
  const start = performance.now();
  const timer = setInterval(() => {
    const seconds = (performance.now() - start) / 1000;
    output.note(`${what()} (${seconds.toFixed(0)} s)`);
  }, PROGRESS_EVERY_MS);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}

/** The same for work that holds the thread, and can only say so between its steps. */
export class Progress {
  readonly #output: Output;
  readonly #start = performance.now();
  #last = this.#start;

  constructor(output: Output) {
    this.#output = output;
  }

  step(done: number, total: number, what: string): void {
    const time = performance.now();
    if (time - this.#last < PROGRESS_EVERY_MS) return;
    this.#last = time;
    const seconds = (time - this.#start) / 1000;
    this.#output.note(`[${done}/${total}] ${what} (${seconds.toFixed(0)} s)`);
  }
}
