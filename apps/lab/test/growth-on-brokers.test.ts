import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, onTestFinished, test } from "vitest";
import { processorSeconds } from "../src/growth-on-brokers/processor-time.ts";
import { reportOf } from "../src/growth-on-brokers/report.ts";
import type { Grown, Stop } from "../src/growth-on-brokers/sweep.ts";

function grownAs(slope: number): Grown {
  const sweep = (what: "messages" | "products", sizes: readonly number[]): Stop[] =>
    sizes.map((size) => {
      const y = 300 * (size / sizes[0]!) ** slope;
      const rounds = [1, 5, 1, 0.2, 1, 4, 0.5].map((times) => ({ messages: size, cpuMicrosPerMessage: y * times }));
      return { messages: 1e4, products: 100, [what]: size, rssMiB: 300, rounds };
    });
  return { messages: sweep("messages", [1e4, 1e5, 1e6]), products: sweep("products", [1e2, 1e4, 1e5]) };
}

describe("the report of growth on a broker", () => {
  const reached = (grown: Grown) => reportOf("nats", grown).rows.map((row) => row[3]);

  test("does not count the rounds that were disturbed most", () => {
    expect(reportOf("kafka", grownAs(0)).rows[0]![1]).toMatch(/^-?0\.000 \(300 → 300 µs\)$/);
  });

  test("says which bound is passed", () => {
    expect(reached(grownAs(0.04))).toEqual([true, true]);
    expect(reached(grownAs(0.06))).toEqual([false, false]);
  });
});

test("processor time counts a server and its children, or says why it cannot", async () => {
  const busy = "const end = Date.now() + 200; while (Date.now() < end);";
  const parent = `require("child_process").spawnSync(process.execPath, ["-e", ${JSON.stringify(busy)}]);
    console.log("done"); setInterval(() => {}, 1000);`;
  const server = spawn(process.execPath, ["-e", parent], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void server.kill("SIGKILL"));
  const before = processorSeconds([]);
  await once(server.stdout, "data");
  const own = processorSeconds([]) - before;
  // What the child had worked is counted although it has ended.
  const spent = await (async () => processorSeconds([server.pid!]) - before - own)().catch(String);
  const isTold = (seconds: number | string) => typeof seconds === "number" && seconds > 0.02;
  const isRefused = (error: number | string) => String(error).includes("/proc");
  expect(spent).toSatisfy(process.platform === "linux" ? isTold : isRefused);
});
