import { globSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A wall clock of the shop's own, which can be put wrong. Durations are measured by another one, which goes on as it does. */
export interface MovedClock {
  /** What the shop's processes need in their environment to see it. */
  readonly env: NodeJS.ProcessEnv;
  /** Why it cannot be moved; undefined when it can. */
  readonly unavailable: string | undefined;
  /** Shows so many milliseconds more than the machine's clock, or fewer. */
  show(byMs: number): void;
}

/** A clock that libfaketime shows to the programs that are started with its environment. */
export function movedClock(folder: string): MovedClock {
  const [library] = globSync("/usr/lib/*/faketime/libfaketimeMT.so.1");
  if (library === undefined) {
    const unavailable = "libfaketime is not installed (Debian: apt-get install libfaketime)";
    return { env: {}, unavailable, show: () => undefined };
  }
  const file = join(folder, "clock");
  const show = (byMs: number): void => {
    // Read at every look at the clock: it must never be there by half.
    writeFileSync(`${file}.new`, `${byMs < 0 ? "-" : "+"}${Math.abs(byMs) / 1_000}s\n`);
    renameSync(`${file}.new`, file);
  };
  show(0);
  const env = {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: "1",
    // By its old and its new name.
    DONT_FAKE_MONOTONIC: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
  };
  return { env, unavailable: undefined, show };
}
