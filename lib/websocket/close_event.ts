// CloseEvent, which Node.js has from version 23 on.
import { toUSVString } from 'node:util';

export interface CloseEventInit {
  bubbles?: boolean;
  cancelable?: boolean;
  composed?: boolean;
  wasClean?: boolean;
  code?: number;
  reason?: string;
}

/** How a WebSocket ended. */
class OwnCloseEvent extends Event {
  readonly #wasClean: boolean;
  readonly #code: number;
  readonly #reason: string;

  constructor(type: string, init: CloseEventInit = {}) {
    super(type, init);
    this.#wasClean = Boolean(init.wasClean);
    // An unsigned short of Web IDL, and a USVString.
    this.#code = Math.trunc(Number(init.code ?? 0)) & 0xffff;
    this.#reason = toUSVString(String(init.reason ?? ''));
  }

  /** Whether the closing handshake was completed. */
  get wasClean(): boolean {
    return this.#wasClean;
  }

  /** The peer's close code: 1005 when it gave none, 1006 when there was no close frame. */
  get code(): number {
    return this.#code;
  }

  get reason(): string {
    return this.#reason;
  }
}
Object.defineProperty(OwnCloseEvent, 'name', { value: 'CloseEvent' });
for (const name of ['wasClean', 'code', 'reason']) {
  Object.defineProperty(OwnCloseEvent.prototype, name, { enumerable: true });
}

export type CloseEvent = OwnCloseEvent;
export const CloseEvent: typeof OwnCloseEvent =
  (globalThis as { CloseEvent?: typeof OwnCloseEvent }).CloseEvent ?? OwnCloseEvent;
