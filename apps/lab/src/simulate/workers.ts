import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Options } from "./options.ts";
import type { Sums } from "./seeds.ts";

/** How many seeds a process gets at a time: enough that asking costs nothing, few enough that progress is seen. */
const seedsAtOnce = 10;

/** What a process is asked for: all seeds from the first to the last. */
export interface Share {
  readonly from: number;
  readonly to: number;
  readonly salt: number;
  readonly only: readonly string[] | undefined;
  readonly story: boolean;
}

/**
 * Runs the seeds in so many processes, which take them a few at a time. `heard` gets what came of each share, in the order in
 * which they are over, and says whether to go on. Throws when a process ends by itself.
 */
export async function inProcesses(
  { from, to, salt, only, story, workers }: Options,
  heard: (sums: Sums) => boolean,
): Promise<void> {
  let next = from;
  let goesOn = true;
  const work = async (): Promise<void> => {
    const child = fork(fileURLToPath(new URL("worker.ts", import.meta.url)), { execArgv: process.execArgv });
    const ended = once(child, "exit").then(() => undefined);
    while (goesOn && next <= to) {
      const share: Share = {
        from: next,
        to: Math.min(next + seedsAtOnce - 1, to),
        salt,
        only: only && [...only],
        story,
      };
      next = share.to + 1;
      child.send(share);
      const answer = await Promise.race([once(child, "message"), ended]);
      if (answer === undefined)
        throw new Error(`The process with seeds ${share.from}..${share.to} has ended by itself.`);
      if (!heard(answer[0] as Sums)) goesOn = false;
    }
    child.disconnect();
    await ended;
  };
  await Promise.all(Array.from({ length: workers }, work));
}
