import type { ParkedKey, Worker, Store, World } from "@waybill/messaging";

/** What became of a key that was tried again. */
export interface Redriven {
  readonly key: string;
  /**
   * `done`: it is parked no longer. `failed`: it was tried and failed again. `waits`: what it needs has not come, and it is tried
   * again by itself. `queued`: it had not been tried when the answer was due. `elsewhere`: its lane runs in another process.
   */
  readonly outcome: "done" | "failed" | "waits" | "queued" | "elsewhere";
  readonly error?: string;
}

export interface RedriveParts {
  readonly store: Store;
  readonly worker: Worker;
  readonly world: World;
}

const lookEveryMs = 20;

/**
 * Tries parked keys again, in their order, and waits for what comes of it. Doing it again is no harm: what is done is gone from
 * the parking, so that a redrive which was cut off goes on with what is left.
 */
export async function redrive(
  { store, worker, world }: RedriveParts,
  {
    service,
    keys,
    body,
    waitMs,
  }: {
    readonly service: string;
    readonly keys: readonly ParkedKey[];
    readonly body?: string | undefined;
    readonly waitMs: number;
  },
): Promise<readonly Redriven[]> {
  const taken = new Set<string>();
  for (const { key } of keys) if (await worker.redrive(service, key, body)) taken.add(key);
  const untilMs = world.monotonicMs() + waitMs;
  for (;;) {
    const now = new Map((await store.parkedKeys(service)).map((key) => [key.key, key]));
    const found = keys.map((before) => outcomeOf(before, now.get(before.key), taken.has(before.key)));
    if (found.every(({ outcome }) => outcome !== "queued") || world.monotonicMs() >= untilMs) return found;
    await world.sleep(lookEveryMs);
  }
}

function outcomeOf(before: ParkedKey, now: ParkedKey | undefined, isTaken: boolean): Redriven {
  const { key } = before;
  // One that came back after it was done is a failure of its own.
  if (now === undefined || now.sinceMs > before.sinceMs) return { key, outcome: "done" };
  if (!isTaken) return { key, outcome: "elsewhere" };
  if (now.attempts === before.attempts) return { key, outcome: "queued" };
  const { error, fingerprint } = now;
  return { key, outcome: fingerprint.startsWith("NOT_YET ") ? "waits" : "failed", error };
}
