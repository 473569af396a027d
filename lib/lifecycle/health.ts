// Conditions of readiness and liveness, which programs add and take back.

export type HealthCheck = () => boolean;

export class Health {
  readonly #checks = new Set<{ check: HealthCheck }>();

  /** @returns takes it back */
  add(check: HealthCheck): () => void {
    const entry = { check };
    this.#checks.add(entry);
    return () => void this.#checks.delete(entry);
  }

  /** A check that throws, or gives anything but true, does not hold. */
  get holds(): boolean {
    for (const { check } of this.#checks) {
      try {
        if (check() !== true) return false;
      } catch {
        return false;
      }
    }
    return true;
  }
}
