import { startPostgres } from "@waybill/brokers";
import { codeOf, messageOf } from "@waybill/messaging";
import { inspect, migrate, pendingMigrations, postgresStore } from "@waybill/store-postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testDatabase, world, type TestDatabase } from "./database.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
});

afterAll(async () => {
  await database[Symbol.asyncDispose]();
});

/** Code and text of what a call throws. */
async function thrown(call: Promise<unknown>): Promise<{ code: string | undefined; text: string }> {
  try {
    await call;
  } catch (error) {
    return { code: codeOf(error), text: messageOf(error) };
  }
  throw new Error("It did not throw.");
}

describe("migrate", () => {
  test("makes a schema once, and says what it did", async () => {
    const options = { url: database.url, schema: "once" };
    expect(await pendingMigrations(options)).toEqual(["tables of services"]);
    expect(await migrate(options)).toEqual({ schema: "once", from: 0, to: 1, applied: ["tables of services"] });
    expect(await pendingMigrations(options)).toEqual([]);
    expect(await migrate(options)).toEqual({ schema: "once", from: 1, to: 1, applied: [] });
  });

  test("several at once do it once", async () => {
    const options = { url: database.url, schema: "at_once" };
    const done = await Promise.all(Array.from({ length: 4 }, () => migrate(options)));
    expect(done.filter(({ applied }) => applied.length > 0)).toHaveLength(1);
  });

  test("keeps nothing of a migration that fails half-way", async () => {
    await database.sql("create schema half; create table half.seen (id text)");
    const options = { url: database.url, schema: "half" };
    expect((await thrown(migrate(options))).text).toContain('relation "seen" already exists');
    expect(await database.sql("select tablename as name from pg_tables where schemaname = 'half'")).toEqual([
      { name: "seen" },
    ]);
  });

  test("refuses a database that is ahead of this build, and so does a store", async () => {
    const options = { url: database.url, schema: "ahead" };
    await migrate(options);
    await database.sql("update ahead.meta set value = '7' where name = 'layout'");
    const refused = await thrown(migrate(options));
    expect(refused).toMatchObject({ code: "LEVEL_TOO_LOW" });
    expect(refused.text).toContain("has layout 7; this build knows layouts up to 1");
    expect((await thrown(pendingMigrations(options))).code).toBe("LEVEL_TOO_LOW");
    // A layout that still serves this build does not stop it: builds are replaced one process at a time.
    await (await postgresStore({ ...options, world }))[Symbol.asyncDispose]();
    await database.sql("update ahead.meta set value = '7' where name = 'serves_from'");
    expect((await thrown(postgresStore({ ...options, world }))).code).toBe("LEVEL_TOO_LOW");
  });
});

describe("a store", () => {
  test("is not opened on a schema that is not migrated, and names the command", async () => {
    const refused = await thrown(postgresStore({ url: database.url, schema: "nothing", world }));
    expect(refused.code).toBe("CONTRACT_INVALID");
    expect(refused.text).toContain('"nothing" of the database has no tables yet. Run `waybill migrate`');
    expect(await database.sql("select from pg_namespace where nspname = 'nothing'")).toEqual([]);
  });

  test("shares nothing with one of another schema", async () => {
    const options = ["one", "two"].map((schema) => ({ url: database.url, schema, world }));
    for (const option of options) await migrate(option);
    await using one = await postgresStore(options[0]!);
    await using two = await postgresStore(options[1]!);
    await one.declare("orders", 1, () => "source");
    expect((await two.survey(["orders"])).lanes).toEqual([]);
  });

  test.each([
    ["a URL that is none", { url: "postgres//waybill:se-cret@host" }, "CONTRACT_INVALID"],
    ["another database's URL", { url: "mysql://waybill:se-cret@host/db" }, "CONTRACT_INVALID"],
    ["a server that is not there", { url: "postgres://waybill:se-cret@127.0.0.1:1/db" }, "STORE_UNAVAILABLE"],
    ["a certificate that is not there", { url: "postgres://w:se-cret@h/d?sslrootcert=/no" }, "CONTRACT_INVALID"],
    ["a schema's name that is none", { url: "postgres://w:se-cret@h/d", schema: "a; drop" }, "CONTRACT_INVALID"],
  ])("refuses %s without telling the password", async (_, options, code) => {
    const refused = await thrown(postgresStore({ ...options, world }));
    expect(refused.code).toBe(code);
    expect(refused.text).not.toContain("se-cret");
  });

  test("refuses a database that is not in UTF8", async () => {
    await database.sql("create database test_ascii encoding 'SQL_ASCII' template template0");
    const url = database.url.replace(/\/test_\w+$/, "/test_ascii");
    expect((await thrown(migrate({ url }))).text).toContain("encoding is SQL_ASCII");
    await database.sql("drop database test_ascii with (force)");
  });

  test("comes in with a password over TLS, and a wrong password is named and not told", async () => {
    await using server = await startPostgres({ password: "se/cret", tls: true });
    const url = `${server.url}?sslmode=verify-full&sslrootcert=${server.certificates!.ca}`;
    await migrate({ url });
    await (await postgresStore({ url, world }))[Symbol.asyncDispose]();
    const given = { url: url.replace("se%2Fcret@", "@"), password: () => Promise.resolve("se/cret") };
    await (await postgresStore({ ...given, world }))[Symbol.asyncDispose]();
    const refused = await thrown(postgresStore({ ...given, password: "guess-ed", world }));
    expect(refused.code).toBe("STORE_UNAVAILABLE");
    expect(refused.text).toContain("check user and password");
    expect(refused.text).not.toContain("guess-ed");
    expect((await thrown(postgresStore({ url: server.url, world }))).text).toContain("no encryption");
  });
});

test("inspect tells what acknowledged commits are worth", async () => {
  const { url } = database;
  await migrate({ url });
  const found = await inspect({ url });
  expect(found).toMatchObject({ encoding: "UTF8", standby: false, fsync: true, synchronousCommit: "off", layout: 1 });
  expect(found.versionNumber).toBeGreaterThanOrEqual(150_000);
  expect(found.unsafe).toEqual([expect.stringContaining("synchronous_commit is off")]);
});
