import { startPostgres, startProxy, type Proxy } from "@waybill/brokers";
import { codeOf } from "@waybill/messaging";
import { migrate, postgresStore, type PostgresStore } from "@waybill/store-postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { testDatabase, world, type TestDatabase } from "./database.ts";
import { commitAll, counted, lane, numbered, outcome, owned, rowWhenThere } from "./lane.ts";

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

/** A store behind a wire of its own. Answers are waited for half a second. */
async function wired(): Promise<{ store: PostgresStore; proxy: Proxy } & AsyncDisposable> {
  const proxy = await startProxy(database.url);
  const store = await postgresStore({ url: proxy.url, world, answerMs: 500, connectMs: 500 });
  return {
    store,
    proxy,
    async [Symbol.asyncDispose]() {
      proxy.thaw();
      await store[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

/** Holds the lane's row, so that a commit arrives and waits until it is let go. */
function heldLane(): Promise<() => Promise<void>> {
  return database.hold("select from waybill.lane for update");
}

async function waitingCommits(count: number): Promise<void> {
  const sql = "select from pg_stat_activity where wait_event_type = 'Lock' and query like '%commit_batch%'";
  while ((await database.sql(sql)).length < count);
}

async function thrownCode(call: Promise<unknown>): Promise<string | undefined> {
  return await call.then(
    () => undefined,
    (error: unknown) => codeOf(error),
  );
}

describe("a line that breaks", () => {
  test("during a commit that goes through leaves it unknown, seen in the row, and done once", async () => {
    await using it = await wired();
    const row = await owned(it.store);
    const letGo = await heldLane();
    const ended = outcome(it.store, numbered(row, 0));
    await waitingCommits(1);
    it.proxy.freeze();
    await letGo();
    while ((await database.sql("select from waybill.lane where batch = 1")).length === 0);
    it.proxy.cut();
    it.proxy.thaw();
    expect(await ended).toBe("COMMIT_UNKNOWN");
    expect((await it.store.lane(lane)).batch).toBe(1);
    expect(await outcome(it.store, numbered(row, 0))).toBe("NOT_OWNER");
    expect(await counted(it.store)).toEqual({ batch: 1, version: 1, offset: 1 });
  });

  test("during a commit that does not go through leaves it unknown, and its repetition is kept once", async () => {
    await using it = await wired();
    const row = await owned(it.store);
    it.proxy.freeze();
    const ended = outcome(it.store, numbered(row, 0));
    expect(await ended).toBe("COMMIT_UNKNOWN");
    it.proxy.cut();
    it.proxy.thaw();
    expect(await commitAll(it.store, row, 1)).toEqual([]);
    expect(await counted(it.store)).toEqual({ batch: 1, version: 1, offset: 1 });
  });

  test("again and again under commits loses none and does none twice", async () => {
    await using it = await wired();
    const row = await owned(it.store);
    const work = commitAll(it.store, row, 150);
    let over = false;
    void work.finally(() => (over = true));
    for (let cuts = 0; !over; cuts++) {
      const from = (await rowWhenThere(it.store)).batch;
      while (!over && (await rowWhenThere(it.store)).batch < from + 3 + (cuts % 5));
      it.proxy.cut();
    }
    // A commit whose line broke may go through after its lane's row was read: the fence then refuses the repeat.
    const known = new Set(["COMMIT_UNKNOWN", "STORE_UNAVAILABLE", "NOT_OWNER"]);
    expect((await work).filter((code) => !known.has(code))).toEqual([]);
    await using witness = await postgresStore({ url: database.url, world });
    expect(await counted(witness)).toEqual({ batch: 150, version: 150, offset: 150 });
  });

  test("while nobody is asking is replaced when somebody does", async () => {
    await using it = await wired();
    const { epoch } = await owned(it.store);
    it.proxy.cut();
    while (it.proxy.connections > 0) await world.sleep(1);
    expect((await rowWhenThere(it.store)).epoch).toBe(epoch);
  });
});

describe("a line that freezes", () => {
  test("ends reads and commits within their time, and nothing is wrong afterwards", async () => {
    await using it = await wired();
    const row = await owned(it.store);
    // Both have a connection already.
    await Promise.all([it.store.lane(lane), it.store.lane(lane)]);
    it.proxy.freeze();
    const load = thrownCode(it.store.load("orders", [{ kind: "order", id: "1" }]));
    const renew = thrownCode(it.store.renew("a", 1000));
    const commit = outcome(it.store, numbered(row, 0));
    expect(await Promise.all([load, renew, commit])).toEqual([
      "STORE_UNAVAILABLE",
      "STORE_UNAVAILABLE",
      "COMMIT_UNKNOWN",
    ]);
    expect(await thrownCode(it.store.survey(["orders"]))).toBe("STORE_UNAVAILABLE");
    it.proxy.thaw();
    await commitAll(it.store, await rowWhenThere(it.store), 3);
    expect(await counted(it.store)).toEqual({ batch: 3, version: 3, offset: 3 });
  });

  test("and thaws when another has the lane delivers a commit that writes nothing", async () => {
    await using it = await wired();
    await using peer = await postgresStore({ url: database.url, world });
    const row = await owned(it.store, "a", 300);
    await it.store.commit(numbered(row, 0)).durable;
    it.proxy.freeze();
    expect(await outcome(it.store, numbered(row, 1))).toBe("COMMIT_UNKNOWN");
    await world.sleep(300);
    const next = await owned(peer, "b");
    expect(next).toMatchObject({ owner: "b", batch: 1 });
    expect(next.epoch).toBeGreaterThan(row.epoch);
    await commitAll(peer, next, 4);
    it.proxy.thaw();
    expect(await outcome(it.store, numbered(row, 4))).not.toBe("done");
    expect(await outcome(it.store, numbered(row, 4))).toBe("NOT_OWNER");
    expect(await counted(peer)).toEqual({ batch: 4, version: 4, offset: 4 });
  });
});

describe("a row that somebody holds", () => {
  test("stops a commit after a while and nothing else, and it can be had again", async () => {
    await using store = await postgresStore({ url: database.url, world });
    const row = await owned(store);
    const letGo = await heldLane();
    expect(await outcome(store, numbered(row, 0))).toBe("STORE_UNAVAILABLE");
    await letGo();
    expect(await outcome(store, numbered(row, 0))).toBe("done");
  });
});

describe("what the database refuses", () => {
  test("is refused whole, and its number is still to be had", async () => {
    await using store = await postgresStore({ url: database.url, world });
    const row = await owned(store);
    const [state] = numbered(row, 0).states;
    for (const bad of [{ id: "a\0b" }, { home: 2 ** 40 }, { body: "\0" }]) {
      const states = [state!, { ...state!, id: "2", ...bad }];
      expect(await outcome(store, numbered(row, 0, { states }))).toBe("BATCH_REFUSED");
    }
    expect(await counted(store)).toEqual({ batch: 0, version: 0, offset: 0 });
    expect(await outcome(store, numbered(row, 0))).toBe("done");
  });

  test("does not include what people are told, whatever an error's text holds", async () => {
    await using store = await postgresStore({ url: database.url, world });
    const row = await owned(store);
    const key = { partition: 0, key: "1", sinceMs: 1, attempts: 1, build: "b", fingerprint: "f", error: "a\0\ud800" };
    const parked = { added: [], removed: [], keys: [key], released: [] };
    expect(await outcome(store, numbered(row, 0, { parked }))).toBe("done");
    expect((await store.parkedKeys("orders"))[0]!.error).toBe("a\u2400\ufffd");
    expect(await store.mark(lane, row.epoch, { suspect: "m\0" })).toBe(true);
  });

  test("names the state that somebody else wrote", async () => {
    await using store = await postgresStore({ url: database.url, world });
    const row = await owned(store);
    await store.commit(numbered(row, 0)).durable;
    await expect(
      store.commit(numbered(row, 1, { states: [{ ...numbered(row, 4).states[0]! }] })).durable,
    ).rejects.toThrow('State order "1" of "orders" is at version 1; the commit expected 4.');
  });
});

test("a server that is killed under commits comes back with all that it acknowledged", async () => {
  await using server = await startPostgres();
  await migrate(server);
  await using store = await postgresStore({ url: server.url, world, connectMs: 1_000, answerMs: 1_000 });
  const row = await owned(store);
  const work = commitAll(store, row, 60);
  for (const at of [10, 30]) {
    while ((await rowWhenThere(store)).batch < at);
    await server.kill();
    await server.start();
  }
  expect((await work).every((code) => ["COMMIT_UNKNOWN", "STORE_UNAVAILABLE"].includes(code))).toBe(true);
  expect(await counted(store)).toEqual({ batch: 60, version: 60, offset: 60 });
});

test("whoever listens for lanes hears of them again after his connection was ended", async () => {
  await using store = await postgresStore({ url: database.url, world });
  await using peer = await postgresStore({ url: database.url, world });
  let heard = 0;
  await using _ = peer.watch(["orders"], () => heard++);
  const giveBack = async (): Promise<void> => {
    const { epoch } = await owned(store);
    await store.release(lane, epoch);
  };
  for (let times = 0; times < 2; times++) {
    const before = heard;
    while (heard === before) await giveBack();
    await database.sql("select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen %'");
  }
  expect(heard).toBeGreaterThanOrEqual(2);
});
