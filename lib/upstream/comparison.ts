// A shadow run: the answers of two upstreams to one request, compared without being kept.
import type { Hash } from 'node:crypto';
import { crypto } from '../builtins.js';
import type { ClientResponse } from '../client/response.js';
import { asError } from '../errors.js';

/** What an answer was. */
export interface Shown {
  status: number;
  contentType: string | undefined;
  /** Of the body. */
  bytes: number;
  /** SHA-256 of the body, in hex. */
  hash: string;
}

export interface Difference {
  method: string;
  url: string;
  /** What the client got. */
  usual: Shown;
  /** What the mirror has answered. */
  shadow: Shown;
}

/** Of one answer; one that breaks off is not compared. */
export class Digest {
  readonly #done: (shown: Shown) => void;
  #hash: Hash | undefined;
  #bytes = 0;
  #status = 0;
  #contentType: string | undefined;

  constructor(done: (shown: Shown) => void) {
    this.#done = done;
  }

  head(status: number, contentType: string | undefined): void {
    this.#status = status;
    this.#contentType = contentType;
  }

  add(bytes: Uint8Array): void {
    this.#hash ??= crypto().createHash('sha256');
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
  }

  end(): void {
    const hash = this.#hash ?? crypto().createHash('sha256');
    this.#done({
      ...{ status: this.#status, contentType: this.#contentType, bytes: this.#bytes },
      hash: hash.digest('hex'),
    });
  }

  take(answer: ClientResponse): void {
    this.head(answer.status, answer.header('content-type'));
    answer._give({
      data: (chunk) => this.add(chunk.bytes),
      end: () => this.end(),
      fail() {},
    });
  }
}

export class Comparison {
  readonly #method: string;
  readonly #url: string;
  readonly #differs: (difference: Difference) => unknown;
  readonly usual = new Digest((shown) => {
    this.#usual = shown;
    this.#compare();
  });
  readonly shadow = new Digest((shown) => {
    this.#shadow = shown;
    this.#compare();
  });
  #usual: Shown | undefined;
  #shadow: Shown | undefined;

  constructor(method: string, url: string, differs: (difference: Difference) => unknown) {
    this.#method = method;
    this.#url = url;
    this.#differs = differs;
  }

  #compare(): void {
    const [usual, shadow] = [this.#usual, this.#shadow];
    if (usual === undefined || shadow === undefined) return;
    const isSame =
      usual.status === shadow.status &&
      usual.contentType === shadow.contentType &&
      usual.hash === shadow.hash;
    if (isSame) return;
    try {
      this.#differs({ method: this.#method, url: this.#url, usual, shadow });
    } catch (error) {
      process.emitWarning(asError(error));
    }
  }
}
