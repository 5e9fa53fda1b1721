import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exitCodes } from "../../src/exit.ts";
import { launch, waybill, withFolder } from "./waybill.ts";

describe("waybill config", () => {
  it("shows what holds, and no secrets", () =>
    withFolder(async (folder) => {
      const text = "export default { engine: 'kafka', services: { payments: { lanes: 8 } } };";
      await writeFile(join(folder, "waybill.config.ts"), text);
      const env = {
        WAYBILL_POSTGRES_URL: "postgres://shop:sesame@db/shop",
        WAYBILL_KAFKA_URL: "one:9092",
        WAYBILL_KAFKA_USER: "shop",
        WAYBILL_KAFKA_PASSWORD: "sesame",
      };
      const shown = await launch(["config"], { cwd: folder, env }).ended;
      expect(shown.code).toBe(0);
      expect(shown.stdout).toMatch(/^services\.payments\.lanes +8$/m);
      const asJson = await launch(["config", "--json", "--data", "elsewhere"], { cwd: folder, env }).ended;
      expect(JSON.parse(asJson.stdout)).toMatchObject({
        engine: "kafka",
        data: "elsewhere",
        kafka: { password: "***" },
      });
      expect(shown.stdout + asJson.stdout).not.toContain("sesame");
    }));

  it("says what is wrong, and where", () =>
    withFolder(async (folder) => {
      await writeFile(join(folder, "waybill.config.ts"), "export default { engin: 'nats' };");
      const { code, stderr, stdout } = await launch(["config"], { cwd: folder }).ended;
      expect([code, stdout]).toEqual([exitCodes.config.code, ""]);
      expect(stderr).toContain("waybill.config.ts:\n  engin: is not known; leave it out");
      expect(stderr).not.toMatch(/^ {4}at /m);
    }));
});

describe("what the embedded engine cannot do", () => {
  it.each([
    [["start", "--only", "payments"], exitCodes.config, "the embedded engine works in one process"],
    [["start", "--no-api"], exitCodes.config, "the embedded engine works in one process"],
    [["start", "--migrate"], exitCodes.usage, "The embedded engine has no database to migrate"],
    [["migrate"], exitCodes.usage, "The embedded engine has no database to migrate"],
    [["start", "--engine", "nats"], exitCodes.config, "nats.url: the engine nats needs it; set WAYBILL_NATS_URL"],
    [["order", "x", "--engine", "hybrid"], exitCodes.config, "kafka.url: the engine hybrid needs it"],
    [["start", "--config", "nowhere.ts"], exitCodes.config, "There is no such file. Name the file with --config."],
  ])("%j is refused", async (args, exit, why) => {
    const { code, stdout, stderr } = await waybill(...args);
    expect(stderr).toContain(why);
    expect([code, stdout]).toEqual([exit.code, ""]);
    expect(stderr).not.toMatch(/^ {4}at /m);
  });

  it("refuses parts that there are not", async () => {
    const env = { WAYBILL_POSTGRES_URL: "postgres://a@127.0.0.1:1/a", WAYBILL_NATS_URL: "nats://127.0.0.1:1" };
    const { code, stderr } = await launch(["start", "--engine", "nats", "--only", "paymnts"], { env }).ended;
    expect(code).toBe(exitCodes.config.code);
    expect(stderr).toContain("--only: there is no paymnts; there are catalogue, orders,");
  });

  it("says that a database is away", async () => {
    const env = { WAYBILL_POSTGRES_URL: "postgres://a@127.0.0.1:1/a", WAYBILL_NATS_URL: "nats://127.0.0.1:1" };
    const { code, stderr } = await launch(["migrate", "--engine", "nats"], { env }).ended;
    expect(code).toBe(exitCodes.unavailable.code);
    expect(stderr).not.toMatch(/^ {4}at /m);
  });
});
