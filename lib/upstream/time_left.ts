// What a target is told of the time that the client still waits.
import { DEADLINE_FIELDS, type Deadline, deadlineOf } from '../http/deadline.js';
import { findHeader } from '../http/head.js';
import type { HttpRequest } from '../http/request.js';

/** Fields that are written anew for each attempt. */
export const TIME_FIELDS: ReadonlySet<string> = new Set(DEADLINE_FIELDS);
/** What grpc-timeout can say in milliseconds; seconds have room for more. */
const GRPC_MS_MAX = 99_999_999;

export class TimeLeft {
  readonly #deadline: Deadline;
  readonly #names: readonly string[];

  /** undefined: the request has no deadline. */
  static of(request: HttpRequest): TimeLeft | undefined {
    const deadline = deadlineOf(request);
    return deadline === undefined ? undefined : new TimeLeft(deadline, request);
  }

  private constructor(deadline: Deadline, request: HttpRequest) {
    this.#deadline = deadline;
    const given = DEADLINE_FIELDS.filter((name) => findHeader(request, name) !== undefined);
    this.#names = given.length > 0 ? given : ['x-timeout-ms'];
  }

  /** Whole milliseconds, rounded up; 0: it is over. */
  get ms(): number {
    return Math.ceil(this.#deadline.remaining);
  }

  /** Field lines, by the names that the client has used. */
  lines(ms: number): string {
    let text = '';
    for (const name of this.#names) {
      text += `${name}: ${name === 'grpc-timeout' ? grpcTimeout(ms) : ms}\r\n`;
    }
    return text;
  }
}

function grpcTimeout(ms: number): string {
  return ms <= GRPC_MS_MAX ? `${ms}m` : `${Math.floor(ms / 1000)}S`;
}
