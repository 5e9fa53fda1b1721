import { openFile, sqliteKeeping, sqliteStore } from "@waybill/store-sqlite";
import { expect, test, vi } from "vitest";
import { world } from "./folder.ts";
import { append, codeOfFailure, idsOf, lane, opened, state, topic, type Opened } from "./lane.ts";

const body = JSON.stringify("x".repeat(1_000));
const partition = 0;
const key = "k";
const of = { schema: 1, correlation: "c", causation: "d" };
const ended = ["orders", "billing"] as const;

/** Everything that a service can have. */
const everything = {
  count: 3,
  states: [state("1"), state("2")],
  positions: [{ topic: "sales", partition, logId: "log-of-sales", nextOffset: 2, marks: {} }],
  timers: { set: [{ partition, key, name: "due", dueMs: 5, body: "null", ...of }], cleared: [] },
  effects: {
    added: [{ partition, key, queue: "q", seq: 1, id: "e", name: "call", input: "{}", attempts: 0, dueMs: 5, ...of }],
    done: [],
    retried: [],
  },
  parked: {
    added: [
      { partition, key, seq: 2, kind: "message", origin: "{}", id: "m", type: "t", headers: "{}", body: "{}" } as const,
    ],
    removed: [],
    keys: [{ partition, key, sinceMs: 1, attempts: 1, build: "b", fingerprint: "f", error: "e" }],
    released: [],
  },
  sent: [{ topic: "elsewhere", partition, n: 1, logId: "l", lastOffset: 0 }],
  seen: [{ source: "door", id: "1", atMs: 1 }],
};

/** Two services that have everything; the processes that ran them have left. */
async function left(it: Opened): Promise<void> {
  await topic(it.file, "sales", { retentionBytes: 10_000 });
  for (const service of ended) {
    await it.file.subscribe(service, ["sales"]);
    const one = await lane(it.store, service);
    await one.commit(everything).durable;
    await it.store.leave(service);
  }
}

const tables = "lane position state sent timer effect parked parked_key seen outbox".split(" ");
function rowsOf({ file }: Opened, service: string): Record<string, number> {
  const count = (table: string) =>
    file.connection.get<{ rows: number }>(`select count(*) as rows from ${table} where service = ?`, service)!.rows;
  return Object.fromEntries(tables.map((table) => [table, count(table)]));
}

test("a service is forgotten with all that it has, and no other one is touched", async () => {
  await using it = await opened();
  await left(it);
  const keeping = sqliteKeeping(it.file);
  expect(await keeping.services()).toEqual(["billing", "orders"]);
  const before = rowsOf(it, "billing");
  expect(Object.entries(before).filter(([table, rows]) => rows === 0 && table !== "outbox")).toEqual([]);
  const kept = { states: 2, timers: 1, effects: 1, parked: 1, outbox: 0 };
  expect(await keeping.of("orders")).toEqual({ ...kept, topics: [{ topic: "sales", messages: 0 }] });
  await keeping.forget("orders");
  expect(Object.values(rowsOf(it, "orders"))).toEqual(tables.map(() => 0));
  expect(rowsOf(it, "billing")).toEqual(before);
  expect(await keeping.services()).toEqual(["billing"]);
  // It may come again, as a service that is new.
  const again = await lane(it.store, "orders");
  await again.commit({ states: [state("1")] }).durable;
});

test("what was kept for it alone goes with the next wave, and the doors are open again", async () => {
  await using it = await opened();
  await left(it);
  const keeping = sqliteKeeping(it.file);
  await keeping.forget("billing");
  let taken = 0;
  while ((await codeOfFailure(append(it.file, "sales", [`m-${taken}`], body))) === "none") taken += 1;
  const { topics } = await keeping.of("orders");
  expect(topics).toEqual([{ topic: "sales", messages: taken - 2 }]);
  await keeping.forget("orders");
  await append(it.file, "sales", ["again"], body);
  expect(idsOf(it.file, "sales").at(-1)).toBe("again");
  expect(idsOf(it.file, "sales").length).toBeLessThanOrEqual(10);
});

test("a service with more than one step's rows is forgotten, and counted up to a bound", async () => {
  await using it = await opened();
  await topic(it.file, "sales");
  const one = await lane(it.store, "orders");
  const states = Array.from({ length: 12_500 }, (_, n) => state(`s-${n}`));
  await one.commit({ states }).durable;
  await it.store.leave("orders");
  const keeping = sqliteKeeping(it.file);
  expect((await keeping.of("orders")).states).toBe(10_000);
  await keeping.forget("orders");
  expect(rowsOf(it, "orders")["state"]).toBe(0);
});

test("a service that some process runs is not forgotten", async () => {
  await using it = await opened();
  const one = await lane(it.store, "orders");
  await one.commit({ states: [state("1")] }).durable;
  const keeping = sqliteKeeping(it.file);
  await expect(keeping.forget("orders")).rejects.toMatchObject({ code: "NOT_OWNER" });
  await one.commit({ states: [state("1", 2)] }).durable;
  expect(rowsOf(it, "orders")).toMatchObject({ lane: 1, state: 1 });
});

test("a service whose forgetting was cut off is stopped, and forgotten by the next one", async () => {
  await using it = await opened();
  await left(it);
  // The process ends before the first rows are deleted.
  const cut = sqliteKeeping({
    ...it.file,
    connection: new Proxy(it.file.connection, {
      get: () => () => {
        throw new Error("The process ends.");
      },
    }),
  });
  await expect(cut.forget("orders")).rejects.toThrow("The process ends.");
  await it.file.close();
  await using file = await openFile(it.folder, { world });
  const store = sqliteStore(file);
  const { lanes } = await store.survey(["orders"]);
  expect(lanes).toMatchObject([{ stopped: expect.stringMatching(/^FORGOTTEN: /) }]);
  await store.join({ id: "new", host: "here", services: ["orders"], level: 1 }, 1_000);
  expect(await store.claim({ service: "orders", lane: 0, lanes: 1 }, "new", 1, lanes[0]!.epoch)).toBeUndefined();
  const keeping = sqliteKeeping(file);
  await keeping.forget("orders");
  await vi.waitUntil(async () => !(await keeping.services()).includes("orders"));
  expect(rowsOf({ ...it, file }, "orders")["state"]).toBe(0);
});

test("a file that is open for reading tells what it keeps, and forgets nothing", async () => {
  await using it = await opened();
  await left(it);
  await using reading = await openFile(it.folder, { world, readOnly: true });
  const keeping = sqliteKeeping(reading);
  expect(await keeping.services()).toEqual(["billing", "orders"]);
  expect((await keeping.of("orders")).states).toBe(2);
  await expect(keeping.forget("orders")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
});
