// Reports for everybody who watches, as server-sent events. It samples only while somebody does.
import type { HttpRequest, HttpResponse } from '../http/index.js';
import type { Observer } from './observer.js';
import { Pieces } from './pieces.js';
import { Sampler } from './sampler.js';

/** Watchers at a time. */
export const WATCHERS_MAX = 8;

export class Live {
  readonly #observer: Observer;
  readonly #interval: number;
  readonly #watchers = new Set<Watcher>();
  #sampler: Sampler | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isReporting = false;
  /** Of the last report. */
  cost = new Pieces();

  constructor(observer: Observer, interval: number) {
    this.#observer = observer;
    this.#interval = interval;
  }

  get isFull(): boolean {
    return this.#watchers.size >= WATCHERS_MAX;
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  /** Resolves when the watcher has gone. */
  async serve(request: HttpRequest, response: HttpResponse): Promise<void> {
    const { signal } = request;
    response.header('Content-Type', 'text/event-stream').header('Cache-Control', 'no-store');
    response.header('X-Accel-Buffering', 'no');
    response.write(`retry: 1000\nevent: hello\ndata: {"interval":${this.#interval}}\n\n`);
    const watcher = new Watcher(response);
    this.#watchers.add(watcher);
    this.#start();
    await new Promise<void>((resolve) => {
      watcher.over = resolve;
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve());
    });
    this.#watchers.delete(watcher);
    if (this.#watchers.size === 0) this.#stop();
  }

  #start(): void {
    if (this.#timer !== undefined) return;
    this.#sampler = new Sampler(this.#observer);
    // It is the watchers' connections that keep the process alive.
    this.#timer = setInterval(() => void this.#report(), this.#interval).unref();
  }

  async #report(): Promise<void> {
    const sampler = this.#sampler;
    if (sampler === undefined || this.#isReporting) return;
    this.#isReporting = true;
    try {
      const pieces = new Pieces();
      const text = `data: ${JSON.stringify(await sampler.report(pieces))}\n\n`;
      pieces.end();
      this.cost = pieces;
      for (const watcher of this.#watchers) watcher.tell(text);
    } finally {
      this.#isReporting = false;
    }
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#sampler = undefined;
  }

  /** Ends all streams. */
  stop(): void {
    this.#stop();
    for (const watcher of this.#watchers) watcher.end();
  }
}

/** One who is slow misses reports, and holds none of them in memory. */
class Watcher {
  over: () => void = () => {};
  readonly #response: HttpResponse;
  #behind = false;

  constructor(response: HttpResponse) {
    this.#response = response;
  }

  tell(text: string): void {
    if (this.#behind || this.#response.ended) return;
    if (this.#response.write(text)) return;
    this.#behind = true;
    this.#response.drained().then(
      () => {
        this.#behind = false;
      },
      () => this.over(),
    );
  }

  end(): void {
    if (!this.#response.ended) this.#response.end();
    this.over();
  }
}
