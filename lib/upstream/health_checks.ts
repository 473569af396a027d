// Active checks: each target is asked now and then whether it is well.
import { Exchange } from '../client/exchange.js';
import type { Member } from './member.js';

export interface CheckRules {
  readonly path: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

const noTrailers = () => '';

export class HealthChecks {
  readonly #rules: CheckRules;
  readonly #told: (member: Member, good: boolean) => void;
  readonly #timers = new Map<Member, NodeJS.Timeout>();

  constructor(rules: CheckRules, told: (member: Member, good: boolean) => void) {
    this.#rules = rules;
    this.#told = told;
  }

  add(member: Member): void {
    this.#timers.set(member, setTimeout(() => this.#ask(member), 0).unref());
  }

  remove(member: Member): void {
    clearTimeout(this.#timers.get(member));
    this.#timers.delete(member);
  }

  stop(): void {
    for (const member of [...this.#timers.keys()]) this.remove(member);
  }

  #ask(member: Member): void {
    const { path, timeoutMs } = this.#rules;
    const over = (good: boolean) => {
      if (!this.#timers.has(member)) return;
      this.#told(member, good);
      this.#timers.set(member, setTimeout(() => this.#ask(member), this.#rules.intervalMs).unref());
    };
    const exchange = new Exchange({
      method: 'GET',
      head: `GET ${path} HTTP/1.1\r\nhost: ${member.origin.authority}\r\n\r\n`,
      body: undefined,
      stream: undefined,
      declared: undefined,
      trailers: noTrailers,
      flags: 0,
      headMs: timeoutMs,
      bodyMs: timeoutMs,
      repeatable: true,
      closes: false,
      informational: undefined,
      resolve: (response) => {
        response._discard();
        over(response.status >= 200 && response.status < 400);
      },
      reject: () => over(false),
    });
    member.pool.dispatch(exchange);
  }
}
