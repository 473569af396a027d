// One request on its way from a connection to the code that serves it.

/** What a parser finds in the bytes of a connection. */
export interface Frame {
  /** Names the request among those of its connection. */
  reqId: number | string;
  /** Says which handler it is for. */
  bizCode: number | string;
  /** As it came: nothing is decoded before a handler asks for it. */
  payload: unknown;
}

/** Turns what came into what the handler wants. Called at most once a request. */
export type Decode<P> = (raw: unknown) => P;

const undecoded = Symbol('undecoded');

/** An immutable request. `payload` is decoded on first access and kept. */
export class DispatchRequest<P = unknown> {
  readonly reqId: number | string;
  readonly bizCode: number | string;
  readonly #raw: unknown;
  readonly #decode: Decode<P> | undefined;
  #decoded: P | typeof undecoded = undecoded;
  #failure: { error: unknown } | undefined;

  constructor(frame: Frame, decode: Decode<P> | undefined) {
    this.reqId = frame.reqId;
    this.bizCode = frame.bizCode;
    this.#raw = frame.payload;
    this.#decode = decode;
    Object.freeze(this);
  }

  /** @throws whatever the decoder has thrown, which is not called again */
  get payload(): P {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#decoded === undecoded) this.#decodeNow();
    return this.#decoded as P;
  }

  #decodeNow(): void {
    const decode = this.#decode;
    try {
      this.#decoded = decode === undefined ? (this.#raw as P) : decode(this.#raw);
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  /** The payload as it came. */
  get raw(): unknown {
    return this.#raw;
  }
}
