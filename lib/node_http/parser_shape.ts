// What programs find as `socket.parser`: whether it is there says that HTTP is spoken, and its
// `incoming` which request is under way. What parses is native.
import type { NativeRequest } from './incoming.js';
import { STREAMS } from './names.js';

export class ParserShape {
  /** The request that is under way: until it is answered, and read to its end. */
  incoming: NativeRequest | null;

  /** `answered`: only those who hear of it now may still ask for it. */
  constructor(incoming: NativeRequest | undefined, answered: boolean) {
    this.incoming = incoming ?? null;
    if (answered && incoming !== undefined) process.nextTick(() => this.#clear(incoming));
  }

  #clear(request: NativeRequest): void {
    if (this.incoming === request) this.incoming = null;
  }

  answered(request: NativeRequest): void {
    const clear = () => this.#clear(request);
    if (request[STREAMS] && !request.readableEnded) request.on('end', clear);
    else clear();
  }

  /** The connection is over. */
  free(): void {}
  close(): void {}
}
