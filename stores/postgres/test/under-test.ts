import type { StoreUnderTest } from "@waybill/conformance";
import { postgresStore, type PostgresStore } from "@waybill/store-postgres";
import { world, type TestDatabase } from "./database.ts";

/** Two processes' connections to a database whose schema is made empty. `urls` as stores are told them. */
export async function underTest(
  database: TestDatabase,
  urls: { readonly url: string; readonly listenUrl?: string },
): Promise<StoreUnderTest> {
  const opened: PostgresStore[] = [];
  const open = async (): Promise<PostgresStore> => {
    const store = await postgresStore({ ...urls, world });
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
