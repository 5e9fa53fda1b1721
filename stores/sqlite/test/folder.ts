import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { World } from "@waybill/messaging";

// Each file starts a thread, and a thread begins by compiling its source: once is enough.
process.env["NODE_COMPILE_CACHE"] ??= join(import.meta.dirname, "../../../node_modules/.cache/compile");

/** The real clock; waits are real as well. */
export const world: World = {
  monotonicMs: () => performance.now(),
  newId: () => crypto.randomUUID(),
  random: () => 0.5,
  turn: async () => {},
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      signal?.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      });
    }),
  log: () => {},
};

// Where there is a disk in memory, what these tests try does not depend on a real one.
const root = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** A new folder, removed with everything in it when it is disposed of. */
export function newFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(root, "waybill-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
