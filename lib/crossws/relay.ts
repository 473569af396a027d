// The sync drivers of crossws: what is published here reaches other instances, and theirs us.
import { crypto } from '../builtins.js';

/** What is carried; namespace '' stands for all of them. */
export interface SyncMessage {
  namespace: string;
  topic: string;
  data: string | Uint8Array;
}

export interface SyncDriver {
  subscribe(deliver: (message: SyncMessage) => void): unknown;
  publish(message: SyncMessage): unknown;
  close?(): unknown;
}

export type SyncAdapter = (context: { id: string }) => SyncDriver;
export type SyncStage = 'subscribe' | 'publish' | 'delivery';
export type SyncErrorListener = (error: unknown, context: { stage: SyncStage }) => void;

export class Relay {
  readonly driver: SyncDriver;
  readonly #onError: SyncErrorListener;

  constructor(
    sync: SyncAdapter,
    deliver: (message: SyncMessage) => void,
    onError: SyncErrorListener | undefined,
  ) {
    this.#onError = onError ?? ((error) => process.emitWarning(error as Error));
    this.driver = sync({ id: crypto().randomUUID() });
    const delivered = (message: SyncMessage) => this.#try('delivery', () => deliver(message));
    this.#try('subscribe', () => this.driver.subscribe(delivered));
  }

  publish(message: SyncMessage): void {
    this.#try('publish', () => this.driver.publish(message));
  }

  /** What fails is told, and disturbs nobody who publishes. */
  #try(stage: SyncStage, work: () => unknown): void {
    const failed = (error: unknown) => this.#onError(error, { stage });
    try {
      Promise.resolve(work()).catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}
