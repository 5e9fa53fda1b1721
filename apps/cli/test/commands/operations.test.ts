import { partitionOf } from "@waybill/messaging";
import { newKey, partitions, startServer, writeKeyFile, type RunningServer } from "@waybill/server";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { here } from "./here.ts";

let data: string;
let server: RunningServer;
const fingerprint = "MESSAGE_INVALID message order.place";

beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), "waybill-operations-"));
  // With keys, so that every command has to use the one that the server leaves for it.
  writeKeyFile(join(data, "keys.json"), [newKey({ role: "shop" }).entry]);
  server = await startServer({ data, port: 0, seed: false, log: "none" });
});
afterAll(async () => {
  await server.close();
  rmSync(data, { recursive: true, force: true });
});

/** Puts an order into the door that no schema lets in. */
async function park(orderId: string): Promise<void> {
  const { engine } = server.shop;
  const body = JSON.stringify({ orderId, customer: { id: "c", email: "a@example.org" } });
  const message = {
    id: `broken/${orderId}`,
    type: "order.place",
    schema: 1,
    subject: orderId,
    key: orderId,
    producer: "/test",
    atMs: engine.store.nowMs(),
    correlation: orderId,
    body,
  };
  const partition = partitionOf(orderId, partitions);
  const append = [{ topic: "orders-in", partition, messages: [message] }];
  await engine.transportOf("orders-in").append(append, new AbortController().signal);
  const isParked = async () => (await engine.store.parkedKeys("orders")).some(({ key }) => key === orderId);
  await vi.waitUntil(isParked, 10_000);
}

const run = (...args: readonly string[]) => here(...args, "--data", data);
const json = async (...args: readonly string[]) => JSON.parse((await run(...args, "--json")).stdout);

describe("what is parked", () => {
  it("is shown, rehearsed, mended and given up from the command line", async () => {
    expect((await run("parked")).stdout).toBe("Nothing is set aside.\n");
    await park("o-1");
    await park("o-2");
    await park("o-3");

    const { groups } = await json("parked");
    expect(groups).toMatchObject([{ service: "orders", fingerprint, keys: 3 }]);
    expect((await run("parked")).stdout).toContain(fingerprint);
    expect((await json("parked", "orders")).keys.map(({ key }: { key: string }) => key)).toEqual(["o-1", "o-2", "o-3"]);
    const [{ seq }] = (await json("parked", "orders", "--key", "o-3")).inputs;
    expect((await run("parked", "orders", "--key", "o-3")).stdout).toContain(`${seq}`);

    const tried = await run("redrive", "orders", "--fingerprint", fingerprint, "--rate", "2");
    expect([tried.code, tried.stderr]).toEqual([1, "3 keys, 3 without success.\n"]);
    expect(tried.stdout.split("\n").map((line) => line.slice(0, 11))).toEqual([
      "o-1  failed",
      "o-2  failed",
      "o-3  failed",
      "",
    ]);

    const file = join(data, "mended.json");
    const lines = [{ sku: "ghost", quantity: 1 }];
    const mended = {
      orderId: "o-1",
      placedAtMs: 1,
      customer: { id: "c", email: "a@example.org" },
      currency: "GBP",
      lines,
    };
    writeFileSync(file, JSON.stringify({ ...mended, payment: { token: "tok_approved" } }));
    const dry = await run("redrive", "orders", "--key", "o-1", "--body", file, "--dry-run");
    expect([dry.code, dry.stdout]).toEqual([0, expect.stringContaining("send order.rejected")]);
    const done = await run("redrive", "orders", "--key", "o-1", "--body", file);
    expect([done.code, done.stdout]).toEqual([0, "o-1  done\n"]);

    const given = await run("discard", "orders", "o-3", String(seq), "--reason", "A test.");
    expect([given.code, given.stdout]).toEqual([
      0,
      "order.place of o-3 is given up; nothing is left behind that key.\n",
    ]);
    const again = await run("discard", "orders", "o-3", String(seq), "--reason", "A test.");
    expect([again.code, again.stderr]).toEqual([1, "waybill: Nothing is parked under o-3 in orders.\n"]);

    const book = (await run("tail", "operations", "--json")).stdout.trim().split("\n");
    expect(book.map((line) => String(JSON.parse(line).type)).toSorted()).toEqual([
      "parked.discard",
      "parked.redrive",
      "parked.redrive",
      "parked.redrive",
    ]);
  }, 60_000);

  it.each([
    [["parked", "--key", "o-1"], "name the service"],
    [["redrive", "orders"], "Give either --key or --fingerprint"],
    [["redrive", "orders", "--key", "a", "--rate", "0"], "from 1 to 100"],
    [["redrive", "orders", "--fingerprint", "a", "--body", "b"], "--body is for one key"],
    [["discard", "orders", "o-1", "first", "--reason", "No."], "no number of an input"],
    [["discard", "orders", "o-1", "1"], "required option '--reason <text>'"],
    [["resolve", "o-1", "steal", "--reason", "x"], "Allowed choices are authorise, capture, void, refund"],
    [["resolve", "o-1", "capture", "--done", "op", "--reason", "x"], "Give either --done with --payment, or --refused"],
    [["resolve", "o-1", "capture", "--refused", "no"], "required option '--reason <text>'"],
    [["tail", "orders", "--lines", "501"], "from 1 to 500"],
    [["topics", "--server", "nowhere"], "give an address such as"],
  ])("%j is wrong", async (args, why) => {
    const { code, stderr } = await here(...args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(why)]);
  });
});

it("resolve says what became of a payment, to a server that knows of it", async () => {
  const args = ["resolve", "nobody", "capture", "--refused", "not_found", "--reason", "A test."];
  const { code, stderr } = await run(...args);
  expect([code, stderr]).toEqual([1, expect.stringContaining("Order nobody has no payment")]);
});

describe("topics", () => {
  it("are shown with what they hold, also by a server that is named", async () => {
    const { topics } = await json("topics");
    expect(topics.map(({ topic }: { topic: string }) => topic)).toContain("orders-in");
    expect((await run("topics")).stdout).toMatch(/orders-in +embedded +32/);
    const named = await here("topics", "--server", server.url);
    expect([named.code, named.stderr]).toEqual([69, expect.stringContaining("Send a key of this server")]);
    for (const args of [["lanes"], ["order", "o-1"]]) {
      const { code, stderr } = await here(...args, "--server", server.url);
      expect([code, stderr]).toEqual([69, expect.stringContaining("Send a key of this server")]);
    }
  });

  it("are not made up", async () => {
    const { code, stderr } = await run("tail", "nowhere");
    expect([code, stderr]).toEqual([1, expect.stringContaining("There is no topic nowhere. There are: orders-in")]);
  });

  it("are read from the folder when no server runs", async () => {
    const asServer = await json("parked", "orders", "--key", "o-2");
    await server.close();
    const { stdout } = await run("tail", "orders-in", "--lines", "1");
    expect(stdout).toMatch(/^\d{4}-\d\d-\d\d .*order\.place {2}o-\d/);
    expect((await json("topics")).topics.length).toBeGreaterThan(10);
    expect((await json("parked")).groups).toMatchObject([{ service: "orders", keys: 1 }]);
    expect((await json("parked", "orders")).keys).toMatchObject([{ key: "o-2", fingerprint }]);
    expect(await json("parked", "orders", "--key", "o-2")).toEqual(asServer);
    const absent = await run("parked", "orders", "--key", "nobody");
    expect([absent.code, absent.stderr]).toEqual([1, "waybill: Nothing is parked under nobody in orders.\n"]);
    const nobody = await run("parked", "nobody");
    expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringContaining("There is no service nobody; there are")]);
    const { code, stderr } = await run("redrive", "orders", "--key", "o-2");
    expect([code, stderr]).toEqual([69, expect.stringContaining("only a server can do this")]);
    server = await startServer({ data, port: 0, seed: false, log: "none" });
  });
});

it("describe tells who sends and who reads what", async () => {
  const { code, stdout } = await here("describe");
  expect(code).toBe(0);
  expect(stdout).toMatch(/order\.placed +1 +orders +orders +inventory, listing/);
  expect(JSON.parse((await here("describe", "--json")).stdout).services.length).toBeGreaterThan(5);
});
