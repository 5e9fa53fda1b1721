// A process of `npm run simulate -- --workers N`: it runs the seeds that it is sent, and answers what came of them.
import { added, none, runSeed } from "./seeds.ts";
import type { Share } from "./workers.ts";

Error.stackTraceLimit = 0;

process.on("message", ({ from, to, salt, only, story }: Share) => {
  void answer(from, to, { salt, only: only === undefined ? undefined : new Set(only), story });
});

async function answer(from: number, to: number, options: Parameters<typeof runSeed>[1]): Promise<void> {
  let sums = none;
  for (let seed = from; seed <= to; seed++) sums = added(sums, await runSeed(seed, options));
  process.send!(sums);
}
