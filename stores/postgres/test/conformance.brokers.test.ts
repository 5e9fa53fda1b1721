import { testStore } from "@waybill/conformance";
import { migrate } from "@waybill/store-postgres";
import { afterAll, beforeAll } from "vitest";
import { testDatabase, type TestDatabase } from "./database.ts";
import { underTest } from "./under-test.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
  await migrate(database);
});

afterAll(async () => {
  await database[Symbol.asyncDispose]();
});

testStore("postgres", () => underTest(database, { url: database.url }));
