import type { Committer } from "./committer.ts";
import type { Wave } from "./wave.ts";

/**
 * Runs a change of something small and resolves when it is durable. `enter` looks and changes what is in memory; what
 * it returns goes to `write`, and to the caller. Returns undefined at once, and writes nothing, when `enter` does.
 */
export function change<T extends object>(
  committer: Committer,
  enter: () => T | undefined,
  write: (wave: Wave, entered: T) => void,
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    let entered: T | undefined;
    committer.submit({
      inputs: 0,
      enter() {
        entered = enter();
        return entered !== undefined;
      },
      write: (wave) => write(wave, entered!),
      applied() {},
      durable: () => resolve(entered),
      failed: reject,
    });
  });
}
