// What a module of a group learns of the thread that it runs on.

export interface GroupThread {
  /** Its number, 0 and up. */
  readonly number: number;
  /** How many there are. */
  readonly threads: number;
  /** How many threads have had this number before: crashed, or replaced by reload(). */
  readonly generation: number;
  /** The processor that it is pinned to; undefined: it is not. */
  readonly cpu: number | undefined;
  /** The option `data` of the group. */
  readonly data: unknown;
}
