import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { seededDice } from "./dice.ts";
import { noFaults } from "./faults.ts";
import { openTestGateway, type TestGateway } from "./test-gateway.ts";

let nowMs = 0;
let shop: TestGateway;
beforeEach(async () => {
  nowMs = 1_000_000;
  shop = await openTestGateway({ now: () => nowMs });
});
afterEach(() => shop[Symbol.asyncDispose]());

describe("faults", () => {
  test("start at none, are read back, and are replaced as a whole", async () => {
    expect((await shop.get("/faults")).body).toEqual(noFaults);
    expect((await shop.put("/faults", { errorRate: 0.5, forgetKeysAfterMs: 10 })).body).toEqual({
      ...noFaults,
      errorRate: 0.5,
      forgetKeysAfterMs: 10,
    });
    expect((await shop.put("/faults", { slowMs: 5 })).body).toEqual({ ...noFaults, slowMs: 5 });
  });

  test.each([{ errorRate: 1.1 }, { slowMs: -1 }, { unavailable: "yes" }, { typo: 1 }])(
    "%j is refused and changes nothing",
    async (faults) => {
      const { status, body } = await shop.put("/faults", faults);
      expect([status, body.errors[0].field]).toEqual([422, Object.keys(faults)[0]]);
      expect((await shop.get("/faults")).body).toEqual(noFaults);
    },
  );

  test("errorRate: answered with 500, look-ups too, and nothing is done", async () => {
    await shop.put("/faults", { errorRate: 1 });
    expect((await shop.authorise("k")).body.code).toBe("simulated_error");
    expect((await shop.get("/operations?key=k")).status).toBe(500);
    expect(await shop.ledger()).toEqual([]);
  });

  test("lostAnswerRate: done once and never answered, a look-up tells", async () => {
    await shop.put("/faults", { lostAnswerRate: 1 });
    for (const _ of [1, 2]) await expect(shop.authorise("k")).rejects.toThrow("fetch failed");
    expect((await shop.get("/operations?key=k")).body.result).toBe("approved");
    expect(await shop.ledger()).toHaveLength(1);
  });

  test("slowRate and slowMs: later, but done", async () => {
    await shop.put("/faults", { slowRate: 1, slowMs: 1 });
    expect((await shop.authorise("k")).status).toBe(201);
    expect((await shop.get("/operations?key=k")).status).toBe(200);
  });

  test("unavailable: nothing is done or told until it is switched on again", async () => {
    await shop.put("/faults", { unavailable: true });
    expect((await shop.authorise("k")).body.code).toBe("unavailable");
    expect((await shop.get("/operations?key=k")).status).toBe(503);
    await shop.put("/faults", {});
    expect((await shop.authorise("k")).status).toBe(201);
  });

  test("callsPerSecond: what is more is answered with 429, until the next second", async () => {
    await shop.put("/faults", { callsPerSecond: 2 });
    expect((await shop.authorise("a")).status).toBe(201);
    expect((await shop.get("/operations?key=a")).status).toBe(200);
    const refused = await shop.authorise("b");
    expect([refused.status, refused.body.code, refused.headers.get("retry-after")]).toEqual([429, "rate_limited", "1"]);
    expect((await shop.get("/operations?key=a")).status).toBe(429);
    nowMs += 1_000;
    expect((await shop.authorise("b")).status).toBe(201);
    expect(await shop.ledger()).toHaveLength(2);
  });

  test("refuseConnectionsMs: the port is closed for that long, and opens again by itself", async () => {
    await shop.put("/faults", { refuseConnectionsMs: 300 });
    const refused = await vi.waitUntil(() =>
      shop.get("/faults").then(
        () => undefined,
        (error: Error) => error,
      ),
    );
    expect(refused.cause).toMatchObject({
      code: expect.stringMatching(/ECONNREFUSED|ECONNRESET|UND_ERR_SOCKET/),
    });
    await vi.waitUntil(
      () =>
        shop.get("/faults").then(
          () => true,
          () => false,
        ),
      { timeout: 10_000 },
    );
    expect((await shop.authorise("k")).status).toBe(201);
  });

  test("a gateway whose port is closed for long can still be closed", async () => {
    await shop.put("/faults", { refuseConnectionsMs: 3_600_000 });
    await vi.waitUntil(() =>
      shop.get("/faults").then(
        () => false,
        () => true,
      ),
    );
    await expect(shop.gateway.close()).resolves.toBeUndefined();
  });

  test("forgetKeysAfterMs: an old key is unknown, and a repeat is a second operation, which the ledger shows", async () => {
    await shop.put("/faults", { forgetKeysAfterMs: 60_000 });
    const first = await shop.authorise("k");
    nowMs += 60_000;
    expect((await shop.authorise("k")).body.id).toBe(first.body.id);
    nowMs += 1;
    expect((await shop.get("/operations?key=k")).status).toBe(404);
    expect((await shop.authorise("k")).body.id).not.toBe(first.body.id);
    expect((await shop.ledger()).map(({ key }) => key)).toEqual(["k", "k"]);
    expect((await shop.get("/audit")).body.findings).toEqual([]);
  });
});

describe("chance", () => {
  async function fates(seed: number, keys: readonly string[]): Promise<Map<string, number>> {
    await using own = await openTestGateway({ seed });
    await own.put("/faults", { errorRate: 0.5 });
    return new Map(await Promise.all(keys.map(async (key) => [key, (await own.authorise(key)).status] as const)));
  }

  test("the same seed gives each key the same fate, in whatever order the keys come", async () => {
    const keys = Array.from({ length: 40 }, (_, i) => `key-${i}`);
    const there = await fates(7, keys);
    const back = await fates(7, keys.toReversed());
    for (const key of keys) expect([key, back.get(key)]).toEqual([key, there.get(key)]);
    expect(new Set(there.values())).toEqual(new Set([201, 500]));
    expect(await fates(8, keys)).not.toEqual(there);
  });

  test("rolls are even, and differ by purpose and attempt", () => {
    const dice = seededDice(42);
    const rolls = Array.from({ length: 10_000 }, (_, i) => dice("error", `key-${i}`, 1));
    const tenths = Array.from(
      { length: 10 },
      (_, tenth) => rolls.filter((roll) => Math.floor(roll * 10) === tenth).length,
    );
    for (const count of tenths) expect(Math.abs(count - 1_000)).toBeLessThan(150);
    expect(dice("error", "key", 1)).not.toBe(dice("error", "key", 2));
    expect(dice("error", "key", 1)).not.toBe(dice("lost", "key", 1));
  });
});
