// A first-in, first-out buffer over a ring of a power of two, so that shifting moves nothing.
const SLOTS_MIN = 8;

export class Deque<T> {
  length = 0;
  #slots: (T | undefined)[] = new Array(SLOTS_MIN).fill(undefined);
  #head = 0;

  push(value: T): void {
    if (this.length === this.#slots.length) this.#grow();
    this.#slots[(this.#head + this.length) & (this.#slots.length - 1)] = value;
    this.length++;
  }

  shift(): T | undefined {
    if (this.length === 0) return undefined;
    const value = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#slots.length - 1);
    this.length--;
    return value;
  }

  /** The one that shift() would take. */
  peek(): T | undefined {
    return this.length === 0 ? undefined : this.#slots[this.#head];
  }

  /** The value comes first. */
  unshift(value: T): void {
    if (this.length === this.#slots.length) this.#grow();
    this.#head = (this.#head - 1) & (this.#slots.length - 1);
    this.#slots[this.#head] = value;
    this.length++;
  }

  /** Takes the first one that is `value` out; in linear time. False: there is none. */
  remove(value: T): boolean {
    let found = false;
    for (let left = this.length; left > 0; left--) {
      const each = this.shift() as T;
      if (!found && each === value) found = true;
      else this.push(each);
    }
    return found;
  }

  #grow(): void {
    const grown: (T | undefined)[] = new Array(this.#slots.length * 2).fill(undefined);
    for (let index = 0; index < this.length; index++) {
      grown[index] = this.#slots[(this.#head + index) & (this.#slots.length - 1)];
    }
    this.#slots = grown;
    this.#head = 0;
  }
}
