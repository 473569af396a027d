// The addon's functions on files. Those whose name ends in Now answer at once; the others submit an
// operation under the caller's number, answer 0 or -errno, and a file event brings the result.

/** Answers beside counts and -errno: this much less what was moved; the rest would have to wait. */
export const WAITS = -(2 ** 20);
/** Nothing was moved, nor ever will be in this way. */
export const NEVER = -(2 ** 22);
/** The operating system's number for "it would have to wait". */
export const EAGAIN = 11;
export const ENODATA = 61;
export const ECANCELED = 125;

/** Bytes of the largest block: what one operation on the ring moves at most. */
export const BLOCK_BYTES_MAX = 256 * 1024;
/** The descriptor's own position. */
export const CURRENT_POSITION = -1;
/** Fields of a stat; native/core/system/file_calls.h. */
export const STAT_FIELDS = 14;
/** The event names no block. */
export const NO_BLOCK = -1;

/** Kinds of files, as fileAbout() tells them. */
export const REGULAR_FILE = 0;

export interface NativeFiles {
  fileCapabilities(): boolean[];
  fileOpenNow(path: string, flags: number): number;
  fileStatNow(target: string | number, follow: boolean, into: Float64Array): number;
  fileReadNow(
    file: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): number;
  fileWriteNow(
    file: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): number;
  fileReadWhole(path: string, into: Uint8Array, details: Float64Array): number;
  fileAdopt(descriptor: number, append: boolean): number;
  /** Four times the descriptor, plus the kind. */
  fileAbout(file: number): number;
  fileForget(file: number): number;
  fileCloseNow(file: number): number;
  fileOpen(id: number, path: string, flags: number, mode: number): number;
  fileClose(id: number, file: number): number;
  fileRead(id: number, file: number, length: number, position: number): number;
  fileWrite(
    id: number,
    file: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): number;
  fileSync(id: number, file: number, dataOnly: boolean): number;
  /** Threads that flush where there is no ring; `finished` gets ids and results in turns. */
  fileFlushes(finished: (pairs: Int32Array) => void): unknown;
  /** -EAGAIN: there is no thread for it. */
  fileFlush(threads: unknown, id: number, file: number, dataOnly: boolean): number;
  fileStat(id: number, target: string | number, follow: boolean): number;
  fileTruncate(id: number, file: number, length: number): number;
  fileAllocate(id: number, file: number, mode: number, offset: number, length: number): number;
  /** The same on libuv's pool; resolves with 0 or -errno. */
  fileAllocateInPool(file: number, mode: number, offset: number, length: number): Promise<number>;
  fileRename(id: number, from: string, to: string): number;
  fileUnlink(id: number, path: string): number;
  fileCancel(id: number): void;
  fileFetched(slot: number, generation: number, id: number, bytes: Uint8Array, count: number): void;
}
