import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { becomes, childrenOf, isAlive } from "../src/processes.ts";

const parent = fileURLToPath(new URL("parent.ts", import.meta.url));

test.each(["SIGKILL", "SIGTERM"] as const)("no server outlives a process that ends by %s", async (signal) => {
  const child = fork(parent);
  const [servers] = (await once(child, "message")) as [{ pid: number; folder: string }[]];
  const pids = servers.flatMap(({ pid }) => [pid, ...childrenOf(pid)]);
  expect(pids.length).toBeGreaterThan(4);
  expect(pids.every(isAlive)).toBe(true);
  child.kill(signal);
  await once(child, "exit");
  expect(await becomes(() => !pids.some(isAlive), 20_000)).toBe(true);
  expect(await becomes(() => !servers.some(({ folder }) => existsSync(folder)), 20_000)).toBe(true);
});
