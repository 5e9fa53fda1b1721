import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { fileName, openFile, readServerInfo, sqliteStore, writeServerInfo, type Health } from "@waybill/store-sqlite";
import { newFolder, world } from "./folder.ts";
import { append, codeOfFailure, idsOf, lane, opened, state, topic, until } from "./lane.ts";

async function failure(opening: Promise<unknown>): Promise<{ code: string; message: string }> {
  return opening.then(
    () => ({ code: "none", message: "" }),
    (error: { code: string; message: string }) => error,
  );
}

test("a second server on the same folder is told who has it", async () => {
  await using it = await opened();
  writeServerInfo(it.folder, { ...readServerInfo(it.folder)!, url: "http://127.0.0.1:4242" });
  const { code, message } = await failure(openFile(it.folder, { world }));
  expect(code).toBe("STORE_UNAVAILABLE");
  expect(message).toContain(`process ${process.pid}`);
  expect(message).toContain("http://127.0.0.1:4242");
});

test("a folder is free again once its file is closed, and nobody serves it", async () => {
  await using it = await opened();
  await it.file.close();
  expect(readServerInfo(it.folder)).toBeUndefined();
  await (await openFile(it.folder, { world })).close();
});

test("a file that a newer build wrote is refused, and left as it is", async () => {
  using folder = newFolder();
  await (await openFile(folder.path, { world })).close();
  const db = new DatabaseSync(`${folder.path}/${fileName}`);
  db.exec("pragma user_version = 99");
  db.close();
  for (const readOnly of [false, true]) {
    const { code, message } = await failure(openFile(folder.path, { world, readOnly }));
    expect(code).toBe("LEVEL_TOO_LOW");
    expect(message).toContain("layout 99");
  }
});

test("a file that is no database is refused by its name, and the folder is given free", async () => {
  using folder = newFolder();
  writeFileSync(`${folder.path}/${fileName}`, "not a database, however long this text may become ".repeat(400));
  const { code, message } = await failure(openFile(folder.path, { world }));
  expect(code).toBe("STORE_UNAVAILABLE");
  expect(message).toContain(`${folder.path}/${fileName} is damaged`);
  expect((await failure(openFile(folder.path, { world }))).message).toContain("is damaged");
});

test("a folder that cannot be made is refused by its name", async () => {
  using folder = newFolder();
  writeFileSync(`${folder.path}/taken`, "");
  const { code, message } = await failure(openFile(`${folder.path}/taken`, { world }));
  expect(code).toBe("STORE_UNAVAILABLE");
  expect(message).toContain(`${folder.path}/taken cannot be written`);
});

test("a folder that holds no file cannot be opened for reading", async () => {
  using folder = newFolder();
  mkdirSync(`${folder.path}/empty`);
  expect((await failure(openFile(`${folder.path}/empty`, { world, readOnly: true }))).message).toContain(
    "cannot be opened",
  );
});

test("while the disk is full what was applied is kept and tried again, and it is written once there is room", async () => {
  await using it = await opened();
  const one = await lane(it.store);
  const { waves } = it.file.stats();
  it.file.limit(8_192);
  const body = JSON.stringify("x".repeat(500_000));
  const commits = [1, 2, 3].map((version) => one.commit({ states: [state("1", version, body)] }));
  let settled = 0;
  for (const { durable } of commits) void durable.then(() => (settled += 1));
  await until(() => !it.file.health().ok);
  expect(it.file.health()).toMatchObject({ ok: false, fatal: false, error: expect.stringContaining("full") });
  expect(settled).toBe(0);
  expect(it.file.stats().waves).toBe(waves);
  expect(await it.store.load("orders", [state("1")])).toMatchObject([{ version: 3 }]);
  it.file.limit(0);
  await Promise.all(commits.map(({ durable }) => durable));
  expect(it.file.health().ok).toBe(true);
});

test("a full disk stops who writes on, in memory that is bounded", async () => {
  await using it = await opened({ inputsPerWave: 2 });
  const one = await lane(it.store);
  it.file.limit(8_192);
  const body = JSON.stringify("x".repeat(100_000));
  let applied = 0;
  const commits = Array.from({ length: 20 }, (_, at) => one.commit({ states: [state(String(at), 1, body)] }));
  for (const commit of commits) void commit.applied.then(() => (applied += 1));
  await until(() => !it.file.health().ok);
  expect(applied).toBe(4);
  it.file.limit(0);
  await Promise.all(commits.map(({ durable }) => durable));
  expect(applied).toBe(20);
});

test("health is told when it changes", async () => {
  using folder = newFolder();
  const told: Health[] = [];
  await using file = await openFile(folder.path, { world, onHealth: (health) => told.push(health) });
  const one = await lane(sqliteStore(file));
  file.limit(8_192);
  const { durable } = one.commit({ states: [state("1", 1, JSON.stringify("x".repeat(500_000)))] });
  await until(() => told.length === 1);
  file.limit(0);
  await durable;
  expect(told.map(({ ok }) => ok)).toEqual([false, true]);
});

test("a file that turns out to be damaged stops everything, and says so", async () => {
  await using it = await opened();
  const one = await lane(it.store);
  for (let version = 1; version <= 30; version++) {
    await one.commit({ states: [state(`s-${version}`, 1, JSON.stringify("x".repeat(6_000)))] }).durable;
  }
  await it.file.close();
  const path = `${it.folder}/${fileName}`;
  const db = new DatabaseSync(path);
  // The root page of the table of states, overwritten.
  const { rootpage } = db.prepare("select rootpage from sqlite_schema where name = 'state'").get() as {
    rootpage: number;
  };
  db.close();
  const disk = openSync(path, "r+");
  writeSync(disk, Buffer.alloc(8_192, 0x5a), 0, 8_192, (rootpage - 1) * 8_192);
  closeSync(disk);
  await using file = await openFile(it.folder, { world });
  const { durable } = (await lane(sqliteStore(file), "other")).commit({ states: [state("1")] });
  expect(await codeOfFailure(durable)).toBe("STORE_UNAVAILABLE");
  expect(file.health()).toMatchObject({ ok: false, fatal: true, error: expect.stringContaining("damaged") });
});

test("a process that only reads sees what is durable, as it grows, and writes nothing", async () => {
  await using it = await opened();
  await topic(it.file, "orders");
  await append(it.file, "orders", ["m-1"]);
  await using reading = await openFile(it.folder, { world, readOnly: true });
  const store = sqliteStore(reading);
  reading.look();
  expect(idsOf(reading, "orders")).toEqual(["m-1"]);
  await append(it.file, "orders", ["m-2"]);
  await lane(it.store, "late");
  reading.look();
  expect(idsOf(reading, "orders")).toEqual(["m-1", "m-2"]);
  expect((await store.survey(["late"])).lanes).toHaveLength(1);
  expect(await codeOfFailure(store.declare("more", 1, () => "s"))).toBe("STORE_UNAVAILABLE");
});

test("the store's clock never goes back", async () => {
  let nowMs = 5_000.7;
  await using it = await opened({}, () => nowMs);
  expect(it.store.nowMs()).toBe(5_000);
  nowMs = 4_000;
  expect(it.store.nowMs()).toBe(5_000);
  nowMs = 6_000;
  expect(it.store.nowMs()).toBe(6_000);
});
