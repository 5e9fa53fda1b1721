import { migrate, postgresStore } from "@waybill/store-postgres";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { testDatabase, world, type TestDatabase } from "./database.ts";
import { lane, numbered, outcome, owned } from "./lane.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  await migrate(database);
});
beforeEach(async () => {
  await database.empty("waybill");
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
});

const of = { schema: 1, correlation: "c", causation: "d" };
const place = { partition: 0, key: "k" };
const parked = {
  ...place,
  seq: 2,
  kind: "message",
  origin: "{}",
  id: "m",
  type: "t",
  headers: "{}",
  body: "{}",
} as const;
const call = { ...place, queue: "q", seq: 1, id: "e", name: "call", input: "{}", attempts: 0, dueMs: 5, ...of };
const everything = {
  count: 3,
  states: Array.from({ length: 2_500 }, (_, n) => {
    return { kind: "order", id: `s-${n}`, home: 0, version: 1, schema: 1, body: "{}" };
  }),
  timers: { set: [{ ...place, name: "due", dueMs: 5, body: "null", ...of }], cleared: [] },
  effects: { added: [call], done: [], retried: [] },
  parked: {
    added: [parked],
    removed: [],
    keys: [{ ...place, sinceMs: 1, attempts: 1, build: "b", fingerprint: "f", error: "e" }],
    released: [],
  },
  sent: [{ topic: "elsewhere", partition: 0, n: 1, logId: "l", lastOffset: 0 }],
  seen: [{ source: "door", id: "1", atMs: 1 }],
};

const tables = ["lane", "position", "state", "sent", "timer", "effect", "parked", "parked_key", "seen"];
const rowsOf = async (service: string) => {
  const counts = tables.map((table) => `(select count(*)::int from waybill.${table} where service = $1) as ${table}`);
  return (await database.sql<Record<string, number>>(`select ${counts.join(", ")}`, [service]))[0]!;
};

test("a service is forgotten with all that it has, and no other one is touched", async () => {
  await using store = await postgresStore({ url: database.url, world });
  await store.declare("another", 2, () => "source-2");
  const row = await owned(store);
  await store.commit(numbered(row, 0, everything)).durable;
  expect(Object.values(await rowsOf("orders")).filter((rows) => rows === 0)).toEqual([]);
  const { keeping } = store;
  expect(await keeping.services()).toEqual(["another", "orders"]);
  expect(await keeping.of("orders")).toEqual({ states: 2_500, timers: 1, effects: 1, parked: 1, outbox: 0 });
  await expect(keeping.forget("orders")).rejects.toMatchObject({ code: "NOT_OWNER" });
  expect((await rowsOf("orders"))["state"]).toBe(2_500);
  await store.leave("a");
  await keeping.forget("orders");
  expect(Object.values(await rowsOf("orders"))).toEqual(tables.map(() => 0));
  expect(await keeping.services()).toEqual(["another"]);
  expect((await rowsOf("another"))["lane"]).toBe(2);
  // A process that was held up for longer than its lease wakes up and writes nothing.
  expect(await outcome(store, numbered(row, 1))).not.toBe("done");
});

test("a service whose forgetting was cut off is stopped, and forgotten by the next one", async () => {
  await using store = await postgresStore({ url: database.url, world });
  const row = await owned(store);
  await store.commit(numbered(row, 0, everything)).durable;
  await store.leave("a");
  const release = await database.hold("select from waybill.seen where service = 'orders' for update");
  await expect(store.keeping.forget("orders")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  await release();
  const { stopped, epoch } = await store.lane(lane);
  expect(stopped).toMatch(/^FORGOTTEN: /);
  expect(await store.claim(lane, "b", 1, epoch)).toBeUndefined();
  await store.keeping.forget("orders");
  expect(Object.values(await rowsOf("orders"))).toEqual(tables.map(() => 0));
});
