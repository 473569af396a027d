// The heads of a connection's requests, one after the other. What the parser says to be the same as
// before is not decoded again.
import { type HeadView, methodOf, targetOf } from '../http/head.js';
import { Head } from '../runtime/protocol.js';
import { Section } from './section.js';

/** Node's own limit, when maxHeadersCount says nothing. */
const HEADERS_MAX = 2000;

export class Heads {
  method = '';
  url = '';
  #section: Section | undefined = undefined;
  /** Native code's number of the head that it remembers; 0: of none. */
  #number = 0;

  get section(): Section {
    return this.#section as Section;
  }

  /** As node:http counts them against maxHeaderSize. */
  get bytes(): number {
    return this.section.bytes + this.url.length;
  }

  /** The next one. `maxHeadersCount` is a server's: headers behind that many are left out. */
  take(head: HeadView, maxHeadersCount: number | null | undefined): void {
    const { _words: words, _at: at } = head;
    const number = words[at + Head.memory];
    const known = number !== 0 && number === this.#number;
    if (known && words[at + Head.sameHead] !== 0) return;
    this.method = methodOf(head);
    this.url = targetOf(head);
    if (known) return;
    this.#section = new Section(head, maxHeadersCount || HEADERS_MAX);
    this.#number = number;
  }
}
