/** What a key can hold besides a string: a list, a set, a hash, a sorted set. */

/** @typedef {string | Buffer} Value */

/** A list: a ring of a power of two places, so both ends and every index are O(1). */
export class List {
  /** @type {(Value | undefined)[]} */
  #ring = new Array(8);
  #head = 0;
  length = 0;

  /** @param {number} index from 0 to length - 1 */
  at(index) {
    return /** @type {Value} */ (this.#ring[(this.#head + index) & (this.#ring.length - 1)]);
  }

  /** @param {Value} value */
  pushLeft(value) {
    this.#makeRoom();
    this.#head = (this.#head - 1) & (this.#ring.length - 1);
    this.#ring[this.#head] = value;
    this.length += 1;
  }

  /** @param {Value} value */
  pushRight(value) {
    this.#makeRoom();
    this.#ring[(this.#head + this.length) & (this.#ring.length - 1)] = value;
    this.length += 1;
  }

  popLeft() {
    const value = this.at(0);
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.length -= 1;
    return value;
  }

  popRight() {
    const value = this.at(this.length - 1);
    this.length -= 1;
    this.#ring[(this.#head + this.length) & (this.#ring.length - 1)] = undefined;
    return value;
  }

  #makeRoom() {
    if (this.length < this.#ring.length) return;
    const grown = new Array(this.#ring.length * 2);
    for (let index = 0; index < this.length; index += 1) grown[index] = this.at(index);
    this.#ring = grown;
    this.#head = 0;
  }
}

/** A set that can also name a member at random: the members in an array, and where each one is. */
export class MemberSet {
  /** @type {string[]} */
  #members = [];
  /** @type {Map<string, number>} */
  #places = new Map();

  get size() {
    return this.#members.length;
  }

  /** @param {string} member */
  has(member) {
    return this.#places.has(member);
  }

  /** @param {string} member @returns {boolean} whether it is new */
  add(member) {
    if (this.#places.has(member)) return false;
    this.#places.set(member, this.#members.length);
    this.#members.push(member);
    return true;
  }

  /** @param {string} member @returns {boolean} whether it was there */
  delete(member) {
    const place = this.#places.get(member);
    if (place === undefined) return false;
    this.#places.delete(member);
    const last = /** @type {string} */ (this.#members.pop());
    if (last !== member) {
      this.#members[place] = last;
      this.#places.set(last, place);
    }
    return true;
  }

  /** @param {number} random from 0 up to, not including, 1 */
  pop(random) {
    const member = this.#members[Math.floor(random * this.#members.length)];
    this.delete(member);
    return member;
  }

  members() {
    return this.#members.slice();
  }
}

/** @typedef {{ member: string, score: number }} Ranked */

/**
 * Members ordered by score, then by their bytes. A sorted array: places are found by binary search,
 * and moving the rest along is one memmove, which up to some 100,000 members is cheap.
 */
export class SortedSet {
  /** @type {Map<string, number>} */
  #scores = new Map();
  /** @type {Ranked[]} */
  #ranked = [];

  get size() {
    return this.#ranked.length;
  }

  /** @param {string} member */
  score(member) {
    return this.#scores.get(member);
  }

  /** @param {string} member @param {number} score @returns {boolean} whether the member is new */
  set(member, score) {
    const known = this.#scores.get(member);
    if (known === score) return false;
    if (known !== undefined) this.#ranked.splice(this.#rank(member, known), 1);
    this.#scores.set(member, score);
    this.#ranked.splice(this.#rank(member, score), 0, { member, score });
    return known === undefined;
  }

  /** @param {string} member @returns {boolean} whether it was there */
  delete(member) {
    const score = this.#scores.get(member);
    if (score === undefined) return false;
    this.#scores.delete(member);
    this.#ranked.splice(this.#rank(member, score), 1);
    return true;
  }

  /** @param {number} start @param {number} end exclusive @returns {Ranked[]} */
  slice(start, end) {
    return this.#ranked.slice(start, end);
  }

  /** How many members come before this one. @param {string} member @param {number} score */
  #rank(member, score) {
    let low = 0;
    let high = this.#ranked.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#ranked[middle];
      const before = other.score < score || (other.score === score && other.member < member);
      if (before) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
