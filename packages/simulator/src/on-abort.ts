/** What is called when a signal is aborted. Node's own listeners, put on and taken off for each wait, cost more than the wait. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `run` when the signal is aborted, unless it is called off before. The signal must not be aborted yet. */
export function onAbort(signal: AbortSignal, run: () => void): void {
  let all = waiting.get(signal);
  if (all === undefined) {
    const added = (all = new Set<() => void>());
    waiting.set(signal, added);
    signal.addEventListener("abort", () => added.forEach((one) => one()), { once: true });
  }
  all.add(run);
}

export function callOff(signal: AbortSignal, run: () => void): void {
  waiting.get(signal)?.delete(run);
}
