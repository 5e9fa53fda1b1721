interface Waiting {
  readonly below: number;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** What is under way, by id, each with a weight; others wait until it is little enough. */
export interface Gauge {
  readonly count: number;
  has(id: string): boolean;
  add(id: string, weight: number): void;
  /** False when the id is not here. */
  remove(id: string): boolean;
  /** Resolves when all weights together are below a bound; rejects with the signal's reason when it is aborted. */
  below(bound: number): Promise<void>;
}

export function createGauge(signal: AbortSignal): Gauge {
  const weights = new Map<string, number>();
  let total = 0;
  let waiting: Waiting[] = [];
  signal.addEventListener("abort", () => {
    for (const { reject } of waiting.splice(0)) reject(signal.reason);
  });

  function settle(): void {
    if (!waiting.some(({ below }) => total < below)) return;
    const ready = waiting.filter(({ below }) => total < below);
    waiting = waiting.filter(({ below }) => total >= below);
    for (const { resolve } of ready) resolve();
  }

  return {
    get count() {
      return weights.size;
    },
    has: (id) => weights.has(id),
    add(id, weight) {
      total += weight - (weights.get(id) ?? 0);
      weights.set(id, weight);
    },
    remove(id) {
      const weight = weights.get(id);
      if (weight === undefined) return false;
      weights.delete(id);
      total -= weight;
      settle();
      return true;
    },
    async below(bound) {
      signal.throwIfAborted();
      if (total < bound) return;
      await new Promise<void>((resolve, reject) => waiting.push({ below: bound, resolve, reject }));
    },
  };
}
