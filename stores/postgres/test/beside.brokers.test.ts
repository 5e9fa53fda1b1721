import { testSpool, type SpoolUnderTest } from "@waybill/conformance";
import { migrate, postgresStore, type PostgresStore } from "@waybill/store-postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { testDatabase, world, type TestDatabase } from "./database.ts";
import { lane, numbered, owned } from "./lane.ts";

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

testSpool("postgres", async (): Promise<SpoolUnderTest> => {
  const options = { url: database.url, world };
  const [store, peer] = [await postgresStore(options), await postgresStore(options)];
  return {
    spool: store.spool,
    peer: peer.spool,
    pass: (ms) => world.sleep(ms),
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await peer[Symbol.asyncDispose]();
    },
  };
});

describe("stored states", () => {
  test("are found by id, and in pages in the order of their ids", async () => {
    await using store = await postgresStore({ url: database.url, world });
    const row = await owned(store);
    const ids = ["a", "B", "ä", "b", "😀", "0"];
    const states = ids.map((id) => ({ ...numbered(row, 0).states[0]!, id }));
    await store.commit(numbered(row, 0, { states })).durable;
    expect(await store.states.one("orders", "order", "ä")).toEqual(states[2]);
    expect(await store.states.one("orders", "order", "c")).toBeUndefined();
    const first = await store.states.page("orders", "order", "", 4);
    expect(first.map(({ id }) => id)).toEqual(["0", "B", "a", "b"]);
    const rest = await store.states.page("orders", "order", first.at(-1)!.id, 4);
    expect(rest.map(({ id }) => id)).toEqual(["ä", "😀"]);
    expect(await store.states.page("orders", "other", "", 4)).toEqual([]);
  });
});

describe("a question", () => {
  /** How many entries of indexes were read so far, and how many rows by going through a whole table. */
  async function looked(): Promise<{ entries: number; scanned: number }> {
    // What a process has read is counted when it ends.
    while ((await database.sql("select from pg_stat_activity where datname = current_database()")).length > 1);
    const [sum] = await database.sql<{ entries: number; scanned: number }>(`select
      (select sum(idx_tup_read)::int from pg_stat_user_indexes where schemaname = 'waybill') as entries,
      (select sum(seq_tup_read)::int from pg_stat_user_tables where schemaname = 'waybill') as scanned`);
    return sum!;
  }

  test("looks at about as many rows as it gives, however many there are", async () => {
    const rows = 20_000;
    await database.sql(`insert into waybill.timer select 'orders', n % 4, 'k' || n, 'unpaid', n, 1, '{}', '', ''
      from generate_series(1, ${rows}) as n`);
    await database.sql(`insert into waybill.effect select 'orders', n % 4, 'k' || n, 'gateway', n, n % 2 = 0, 'e' || n,
      'capture', 1, '{}', 0, null, n, null, '', '' from generate_series(1, ${rows}) as n`);
    await database.sql(`insert into waybill.outbox select 'orders', 0, 'payments', n % 4, n, n, 1, ''
      from generate_series(1, ${rows}) as n`);
    await database.sql(`insert into waybill.seen select 'orders', 'shop', n, n from generate_series(1, ${rows}) as n`);
    const keys = Array.from({ length: 10 }, (_, at) => ({ source: "shop", id: String(at * 100) }));
    const questions: readonly ((store: PostgresStore) => Promise<unknown>)[] = [
      (store) => store.timers(lane, rows, 10),
      (store) => store.nextTimer(lane),
      (store) => store.effectHeads(lane, rows, 10, new Set(["e2"])),
      (store) => store.nextEffectDue(lane),
      (store) => store.nextEffect("orders", { partition: 0, key: "k4", queue: "gateway", seq: 0 }),
      (store) => store.outbox(lane, { topic: "payments", partition: 1 }, 10_000, 10),
      (store) => store.trimOutbox(lane, [{ topic: "payments", partition: 1, n: 9, logId: "", lastOffset: 0 }]),
      (store) => store.recover(lane),
      (store) => store.seen("orders", keys),
      (store) => store.forgetSeen("orders", rows, 10),
    ];
    for (const question of questions) {
      const before = await looked();
      const store = await postgresStore({ url: database.url, world, connectionsMax: 1 });
      await question(store);
      await store[Symbol.asyncDispose]();
      const after = await looked();
      expect(after.entries - before.entries, question.toString()).toBeLessThan(120);
      expect(after.scanned - before.scanned, question.toString()).toBeLessThan(120);
    }
  });
});
