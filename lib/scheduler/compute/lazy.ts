// Workers cost memory and start-up: the pool is made when the first job comes.
import type { ComputeMetrics } from '../types.js';
import type { ScaleEvent } from './policy.js';
import { type ComputeOptions, ComputePool } from './pool.js';

export class LazyCompute {
  readonly #options: ComputeOptions;
  readonly #onScale: (event: ScaleEvent) => void;
  #pool: ComputePool | undefined;

  constructor(options: ComputeOptions, onScale: (event: ScaleEvent) => void) {
    this.#options = options;
    this.#onScale = onScale;
  }

  pool(): ComputePool {
    this.#pool ??= new ComputePool(this.#options).on('scale', this.#onScale);
    return this.#pool;
  }

  metrics(): ComputeMetrics | undefined {
    return this.#pool?.metrics();
  }

  async close(): Promise<void> {
    await this.#pool?.close();
  }
}
