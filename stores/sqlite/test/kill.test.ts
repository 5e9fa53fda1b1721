import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openFile, sqliteStore } from "@waybill/store-sqlite";
import { newFolder, world } from "./folder.ts";
import { idsOf } from "./lane.ts";

/** Lets the child write until it has said so many lines, kills it, and gives the highest number by writer. */
async function killedAfter(folder: string, lines: number): Promise<Map<string, number>> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "busy-child.ts"), folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const said = new Map<string, number>();
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [writer, number] = line.split(" ");
    // A kill may cut the last line short.
    if (number !== undefined && number !== "") said.set(writer!, Math.max(said.get(writer!) ?? 0, Number(number)));
    count += 1;
    if (count === lines) child.kill("SIGKILL");
  }
  if (count < lines) throw new Error(`The child ended by itself after ${count} lines.`);
  return said;
}

test("after kill -9 at any moment all that was durable is there, and a batch is there whole or not at all", async () => {
  using folder = newFolder();
  for (const lines of [1, 37, 400, 1_211]) {
    const said = await killedAfter(folder.path, lines);
    await using file = await openFile(folder.path, { world });
    const store = sqliteStore(file);
    const sent = idsOf(file, "orders");
    for (const service of ["a", "b", "c"]) {
      const [known] = await store.load(service, [{ kind: "order", id: "1" }]);
      const version = known?.version ?? 0;
      expect(version).toBeGreaterThanOrEqual(said.get(service) ?? 0);
      const row = (await store.survey([service])).lanes[0];
      expect(row?.batch ?? 0).toBe(version);
      const { positions } = await store.recover({ service, lane: 0, lanes: 1 });
      expect(positions[0]?.marks["version"] ?? 0).toBe(version);
      const ours = sent.filter((id) => id.startsWith(service)).map((id) => Number(id.slice(2)));
      // Retention may have taken the first ones; what is left has no gap and ends with the last batch.
      expect(ours).toEqual(Array.from({ length: ours.length }, (_, at) => version - ours.length + 1 + at));
      expect(ours.length > 0).toBe(version > 0);
    }
    const doors = idsOf(file, "doors");
    expect(doors.length).toBeGreaterThan(said.get("door") ?? -1);
    expect(doors).toEqual(doors.map((_, at) => `door-${at}`));
  }
}, 60_000);
