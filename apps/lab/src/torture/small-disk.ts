import { execFileSync } from "node:child_process";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

/** A disk of its own that can be filled, or a folder of the ordinary disk where the platform gives none. */
export interface SmallDisk extends Disposable {
  readonly folder: string;
  /** Why it cannot be filled; undefined when it can. */
  readonly unavailable: string | undefined;
  /** Takes all room that is left. */
  fill(): void;
  /** Gives it back. */
  empty(): void;
}

const blockBytes = 1_048_576;
const lastBytes = 512;

/** Mounts a file system of so many MiB in memory at a folder that exists. That needs Linux and the rights of root. */
export function mountSmallDisk(folder: string, sizeMiB: number): SmallDisk {
  const unavailable = mounted(folder, sizeMiB);
  const ballast = join(folder, "ballast");
  const empty = (): void => rmSync(ballast, { force: true });
  let isMounted = unavailable === undefined;
  const unmount = (): void => {
    if (isMounted) execFileSync("umount", ["--lazy", folder]);
    isMounted = false;
  };
  // Also when somebody has seen enough.
  process.once("exit", unmount);
  return {
    folder,
    unavailable,
    fill: () => {
      if (unavailable === undefined) fill(ballast);
    },
    empty,
    [Symbol.dispose]() {
      empty();
      unmount();
      process.off("exit", unmount);
    },
  };
}

function mounted(folder: string, sizeMiB: number): string | undefined {
  if (process.platform !== "linux") return "only on Linux";
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${sizeMiB}m`, "tmpfs", folder], { stdio: "pipe" });
    return undefined;
  } catch (error) {
    const { stderr } = error as { stderr?: Buffer };
    return `a file system cannot be mounted here: ${stderr?.toString().trim() ?? String(error)}`;
  }
}

function fill(path: string): void {
  const file = openSync(path, "a");
  try {
    for (const size of [blockBytes, lastBytes]) writeUntilFull(file, Buffer.alloc(size));
  } finally {
    closeSync(file);
  }
}

function writeUntilFull(file: number, block: Buffer): void {
  for (;;) {
    try {
      if (writeSync(file, block) < block.length) return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOSPC") return;
      throw error;
    }
  }
}
