import { testStore, type StoreUnderTest } from "@waybill/conformance";
import { migrate, postgresStore, type PostgresStore } from "@waybill/store-postgres";
import { afterAll, beforeAll } from "vitest";
import { testDatabase, world, type TestDatabase } from "./database.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
  await migrate(database);
});

afterAll(async () => {
  await database[Symbol.asyncDispose]();
});

/** Two processes' connections to a schema that is empty. */
async function underTest(): Promise<StoreUnderTest> {
  const { url } = database;
  const opened: PostgresStore[] = [];
  const open = async (): Promise<PostgresStore> => {
    const store = await postgresStore({ url, world });
    opened.push(store);
    return store;
  };
  await database.empty("waybill");
  const [store, peer] = [await open(), await open()];
  return {
    store,
    peer,
    async crash() {
      await database.endConnections();
      return await open();
    },
    pass: (ms) => world.sleep(ms),
    async [Symbol.asyncDispose]() {
      for (const one of opened) await one[Symbol.asyncDispose]();
    },
  };
}

testStore("postgres", underTest);
