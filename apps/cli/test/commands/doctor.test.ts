import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openEngine, effective, realWorld, shopContract } from "@waybill/server";
import { describe, expect, it } from "vitest";
import { waybill, withFolder } from "./waybill.ts";

interface Told {
  readonly ok: boolean;
  readonly problems: readonly { readonly part: string; readonly kind: string; readonly text: string }[];
  readonly topics: readonly { readonly topic: string; readonly worth?: { readonly survives: object } }[];
}

const nowhere = {
  postgres: { url: "postgres://waybill@127.0.0.1:1/waybill" },
  nats: { url: "nats://127.0.0.1:1" },
  kafka: { url: "127.0.0.1:1" },
};

/** A data folder in which the shop's topics are made. */
async function prepare(data: string): Promise<void> {
  await using engine = await openEngine(effective({}), { world: realWorld(() => {}), data });
  await engine.declare(shopContract().topics, new Map());
}

describe("waybill doctor", () => {
  it("has examples, what it exits with, and --json", async () => {
    const { code, stdout } = await waybill("doctor", "--help");
    expect(code).toBe(0);
    for (const text of ["Examples:", "--json", "--nats-monitor", "It exits with 0"]) expect(stdout).toContain(text);
  });

  it("exits with 2 when there is nothing to look at yet, and with 0 when all is as declared", async () => {
    await withFolder(async (data) => {
      const before = await waybill("doctor", "--data", data);
      expect([before.code, before.stdout]).toEqual([2, expect.stringContaining("`waybill start` makes it")]);

      await prepare(data);
      const text = await waybill("doctor", "--data", data);
      expect([text.code, text.stderr]).toEqual([0, ""]);
      expect(text.stdout).toMatch(/a machine crashes or loses power +kept/);
      expect(text.stdout).toMatch(/lost for good +LOST/);
      expect(text.stdout).toMatch(/as strong as it was declared\.\n$/);

      const json = JSON.parse((await waybill("doctor", "--data", data, "--json")).stdout) as Told;
      expect(json).toMatchObject({ ok: true, problems: [] });
      expect(json.topics.map(({ topic }) => topic)).toEqual(shopContract().topics.map(({ name }) => name));
      for (const { worth } of json.topics) expect(worth!.survives).toHaveProperty("machine.kept", "kept");
    });
  });

  it("exits with 2 when nothing can be reached", async () => {
    await withFolder(async (folder) => {
      const file = join(folder, "waybill.config.ts");
      await writeFile(file, `export default ${JSON.stringify({ engine: "hybrid", ...nowhere })};\n`);
      const { code, stdout } = await waybill("doctor", "--config", file, "--json");
      const { ok, problems } = JSON.parse(stdout) as Told;
      expect([code, ok]).toEqual([2, false]);
      expect(problems.map(({ kind, part }) => `${kind} ${part}`)).toEqual(
        ["PostgreSQL", "NATS", "Kafka"].map((part) => `unseen ${part}`),
      );
    });
  });

  it("says why it does not take an address", async () => {
    const { code, stderr } = await waybill("doctor", "--nats-monitor", "10.0.0.1:8222");
    expect([code, stderr]).toEqual([2, expect.stringContaining("Give addresses such as http://127.0.0.1:8222")]);
  });
});
