// What pool and worker say to each other.

/** Code that a worker can run: source text of a function, or a module and one of its exports. */
export interface Code {
  /** Number by which a worker remembers what it has loaded. */
  id: number;
  /** Expression that yields the function. */
  source?: string;
  url?: string;
  exportName?: string;
}

export type ToWorker =
  | { kind: 'warm'; codes: Code[] }
  /** `code` is left out when the worker has it already. */
  | { kind: 'job'; codeId: number; code?: Code; data: unknown }
  | { kind: 'exit' };

export type FromWorker =
  /** Warmed up, and `checked`: it ran a function from source text and got the right answer. */
  | { kind: 'ready'; checked: boolean }
  | { kind: 'done'; value: unknown }
  | { kind: 'failed'; error: unknown; code?: string | number; name?: string | number };
