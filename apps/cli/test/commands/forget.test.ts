import { bareBatch } from "@waybill/messaging";
import { newKey, realWorld, startServer, writeKeyFile, type LogTarget } from "@waybill/server";
import { openFile, sqliteStore } from "@waybill/store-sqlite";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { here } from "./here.ts";

const operator = newKey({ role: "operator" });
const shopper = newKey({ role: "shop" });

let data: string;
beforeEach(async () => {
  data = mkdtempSync(join(tmpdir(), "waybill-forget-"));
  writeKeyFile(join(data, "keys.json"), [operator.entry, shopper.entry]);
  const shop = await start();
  await shop.close();
  await leave("loyalty");
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

const start = (log: LogTarget = "none") => startServer({ data, port: 0, seed: false, log });

/** What a service leaves that read orders, kept a state, and was taken out of the shop. */
async function leave(service: string): Promise<void> {
  await using file = await openFile(data, { world: realWorld(() => {}) });
  await using store = sqliteStore(file);
  await file.subscribe(service, ["orders"]);
  const id = { service, lane: 0, lanes: 1 };
  await store.declare(service, 1, () => `life-of-${service}`);
  await store.join({ id: "old", host: "here", services: [service], level: 1 }, 60_000);
  const { epoch } = (await store.claim(id, "old", 1, 0))!;
  const states = [{ kind: "tally", id: "ann", home: 0, version: 1, schema: 1, body: '{"orders":1}' }];
  await store.commit(bareBatch(id, { epoch, batch: 0, timeMs: 1, level: 1, inputs: 1, states })).durable;
}

const run = (...args: readonly string[]) => here("forget", ...args, "--data", data);
const kept = { service: "loyalty", states: 1, timers: 0, effects: 0, parked: 0, outbox: 0 };

test("a service that was taken out is shown, by a running server and by its folder, and forgotten with a reason", async () => {
  const stopped = JSON.parse((await run("--json")).stdout);
  expect(stopped).toEqual({ services: [{ ...kept, topics: [{ topic: "orders", messages: 0 }] }] });
  const alone = await run("loyalty", "--reason", "Gone.");
  expect([alone.code, alone.stderr]).toEqual([69, expect.stringContaining("only a server can do this")]);

  await using shop = await start({ file: join(data, "server.log") });
  expect(readFileSync(join(data, "server.log"), "utf8")).toMatch(
    /no longer part of the shop.*"loyalty"|"loyalty".*no longer/,
  );
  expect(JSON.parse((await run("--json")).stdout)).toEqual(stopped);
  expect((await run()).stdout).toMatch(/^ +loyalty +1 +0 +0 +0 +0 +nothing$/m);
  const dry = await run("loyalty", "--dry-run", "--json");
  expect([dry.code, JSON.parse(dry.stdout)]).toEqual([0, { kept: stopped.services[0] }]);
  const done = await run("loyalty", "--reason", "It has gone to another system.");
  expect([done.code, done.stdout]).toEqual([0, "loyalty is forgotten.\n"]);
  expect((await run()).stdout).toBe("Nothing is kept of any service that was taken out.\n");
  expect(await shop.shop.engine.keeping.services()).not.toContain("loyalty");
  const again = await run("loyalty", "--reason", "Once more.");
  expect([again.code, again.stderr]).toEqual([1, "waybill: Nothing is kept of a service loyalty.\n"]);

  const book = (await here("tail", "operations", "--json", "--data", data)).stdout.trim().split("\n");
  const { type, body } = JSON.parse(book.at(-1)!);
  expect([book.length, type]).toEqual([1, "service.forget"]);
  expect(body).toEqual({ service: "loyalty", by: expect.any(String), reason: "It has gone to another system." });
});

test("a service of the shop is not forgotten, and none by whoever may not", async () => {
  await using shop = await start();
  const refused = await run("orders", "--reason", "A mistake.");
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("orders is part of this shop")]);
  const dry = await run("orders", "--dry-run");
  expect([dry.code, dry.stderr]).toEqual([1, expect.stringContaining("something is kept of loyalty")]);
  const ask = async (path: string, key: string, body: unknown) => {
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    const response = await fetch(`${shop.url}/services/${path}/forget`, {
      method: "POST",
      headers,
      body: JSON.stringify(body),
    });
    return [response.status, ((await response.json()) as { type: string }).type.slice("urn:waybill:problem:".length)];
  };
  expect(await ask("orders", operator.key, { reason: "No." })).toEqual([409, "service-in-use"]);
  expect(await ask("loyalty", operator.key, {})).toEqual([422, "fields-invalid"]);
  expect(await ask("nobody", operator.key, { reason: "No." })).toEqual([404, "not-found"]);
  expect(await ask("loyalty", shopper.key, { reason: "No." })).toEqual([403, "forbidden"]);
  // Somebody runs it: another process of the database that this one does not know.
  const { store } = shop.shop.engine;
  await store.join({ id: "elsewhere", host: "there:7", services: ["loyalty"], level: 1 }, 60_000);
  const { epoch } = await store.lane({ service: "loyalty", lane: 0, lanes: 1 });
  await store.claim({ service: "loyalty", lane: 0, lanes: 1 }, "elsewhere", 1, epoch);
  expect(await ask("loyalty", operator.key, { reason: "No." })).toEqual([409, "service-in-use"]);
  await store.leave("elsewhere");
  const both = await Promise.all(
    [1, 2].map(() => ask("loyalty", operator.key, { reason: "Yes." }).catch(() => "done")),
  );
  expect(both).toContain("done");
});

test.each([
  [["loyalty"], "Say why with --reason, or look first with --dry-run"],
  [["loyalty", "--dry-run", "--reason", "Both."], "Say why with --reason, or look first with --dry-run"],
  [["--reason", "Nobody."], "Name the service"],
])("%j is wrong", async (args, why) => {
  const { code, stderr } = await run(...args);
  expect([code, stderr]).toEqual([2, expect.stringContaining(why)]);
});
