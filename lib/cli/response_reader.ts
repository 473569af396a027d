// Finds the ends of responses of HTTP/1.1 to GET in a stream of bytes. It looks at no more of them
// than that takes.

const HEAD_END = '\r\n\r\n';
const LINE_END = '\r\n';
const SUCCESS = /^HTTP\/1\.1 [23]\d\d/;
const LENGTH = /\r\ncontent-length: *(\d+)/i;
const CHUNKED = /\r\ntransfer-encoding: *chunked/i;
/** These have no body. */
const BODILESS = /^HTTP\/1\.1 (?:204|304)/;

const enum State {
  head,
  body,
  chunkSize,
  chunk,
  trailers,
}

export class ResponseReader {
  /** Why these responses are of no use; undefined: they are. */
  problem: string | undefined;
  #state = State.head;
  /** Of a head or a line that has not ended yet. */
  #text = '';
  /** Bytes of the body, or of the chunk and its end, that are still to come. */
  #left = 0;

  /** How many responses end in these bytes. */
  take(bytes: Uint8Array): number {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let done = 0;
    let at = 0;
    while (at < buffer.length && this.problem === undefined) {
      if (this.#state === State.body || this.#state === State.chunk) {
        const some = Math.min(this.#left, buffer.length - at);
        this.#left -= some;
        at += some;
      } else {
        const end = this.#state === State.head ? HEAD_END : LINE_END;
        const next = this.#until(end, buffer, at);
        if (next < 0) break;
        at = next;
      }
      if (this.#step()) done++;
    }
    return done;
  }

  /** Text up to `end`, which is in it. -1: more has to come. */
  #until(end: string, buffer: Buffer, at: number): number {
    const known = this.#text.length;
    const found = known === 0 ? buffer.indexOf(end, at, 'latin1') : -1;
    if (found >= 0) {
      this.#text = buffer.toString('latin1', at, found + end.length);
      return found + end.length;
    }
    // The end may lie across two pieces.
    const text = this.#text + buffer.toString('latin1', at);
    const behind = text.indexOf(end, Math.max(0, known - end.length));
    this.#text = behind < 0 ? text : text.slice(0, behind + end.length);
    return behind < 0 ? -1 : at + behind + end.length - known;
  }

  /** What stands in `text`, or has come of a body, is taken. True: a response is complete. */
  #step(): boolean {
    const text = this.#text;
    switch (this.#state) {
      case State.head:
        this.#text = '';
        return this.#head(text);
      case State.body:
        if (this.#left > 0) return false;
        this.#state = State.head;
        return true;
      case State.chunkSize: {
        const size = Number.parseInt(text, 16);
        this.#text = '';
        this.#state = size === 0 ? State.trailers : State.chunk;
        this.#left = size + LINE_END.length;
        return false;
      }
      case State.chunk:
        if (this.#left === 0) this.#state = State.chunkSize;
        return false;
      case State.trailers:
        this.#text = '';
        if (text !== LINE_END) return false;
        this.#state = State.head;
        return true;
    }
  }

  #head(text: string): boolean {
    if (!SUCCESS.test(text)) {
      this.problem = `is answered with ${text.slice(0, text.indexOf(LINE_END))}`;
      return false;
    }
    if (BODILESS.test(text)) return true;
    if (CHUNKED.test(text)) {
      this.#state = State.chunkSize;
      return false;
    }
    const length = LENGTH.exec(text);
    if (length === null) {
      this.problem = 'is answered without a length: the connection ends with it';
      return false;
    }
    this.#left = Number(length[1]);
    if (this.#left === 0) return true;
    this.#state = State.body;
    return false;
  }
}
