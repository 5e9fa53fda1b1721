import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { Broker, Grown } from "./sweep.ts";

const sizes = {
  whole: { messages: [1e4, 3e4, 1e5, 3e5, 1e6], products: [1e2, 1e3, 1e4, 1e5] },
  quick: { messages: [2e4, 1e5, 3e5], products: [1e2, 1e3, 1e4] },
} as const;

/** Grows a shop on a broker in a process of its own, started as Node was told to. Takes up to ten minutes. Linux only. */
export async function growthOn(
  engine: Broker,
  options: { readonly base: string; readonly quick: boolean; readonly nodeOptions: readonly string[] },
): Promise<Grown> {
  const { base, quick, nodeOptions } = options;
  if (process.platform !== "linux") throw new Error("What servers cost is read from /proc, which only Linux has.");
  const script = fileURLToPath(new URL("child.ts", import.meta.url));
  const asked = JSON.stringify({ engine, base, ...sizes[quick ? "quick" : "whole"] });
  const child = spawn(process.execPath, [...nodeOptions, "--expose-gc", script, asked], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [told] = await Promise.all([text(child.stdout), once(child, "exit")]);
  if (child.exitCode !== 0) throw new Error("The measuring process has failed; what it said stands above.");
  return JSON.parse(told) as Grown;
}
