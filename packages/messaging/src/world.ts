/**
 * All that the core may know of time, chance and waiting. Real in the apps, simulated in tests: nothing in this
 * package or in a service reaches for a clock, a timer or a random number itself.
 */
export interface World {
  /** Milliseconds that only rise; for durations, not for dates. */
  monotonicMs(): number;
  /** A random id in the shape of a UUID. */
  newId(): string;
  /** A number in [0, 1). */
  random(): number;
  /** Resolves after `ms`, or as soon as the signal is aborted. `ms` above a day counts as a day. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /**
   * Resolves when all that has arrived by now was heard: the event loop has come round. Whoever is woken by the first of many
   * arrivals waits for it, and handles them as one batch. Those who wait have their turns in the order in which they asked, each when
   * the loop comes round once more, so that what arrives from outside never waits for more than one of them.
   */
  turn(): Promise<void>;
  /** Something worth a line in a log. Never a secret, never personal data. */
  log(level: "debug" | "info" | "warn" | "error", text: string, facts?: Readonly<Record<string, unknown>>): void;
}
