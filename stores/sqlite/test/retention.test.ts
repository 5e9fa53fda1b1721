import { existsSync, statSync } from "node:fs";
import { expect, test } from "vitest";
import type { PositionRow } from "@waybill/messaging";
import { fileName, openFile } from "@waybill/store-sqlite";
import { world } from "./folder.ts";
import { append, codeOfFailure, idsOf, lane, opened, state, topic } from "./lane.ts";

const body = JSON.stringify("x".repeat(1_000));

function position(name: string, nextOffset: number): PositionRow {
  return { topic: name, partition: 0, logId: `log-of-${name}`, nextOffset, marks: {} };
}

test("the oldest messages go when a topic is larger than it may be, and no more than need be", async () => {
  await using it = await opened();
  await topic(it.file, "orders", { retentionBytes: 20_000 });
  for (let n = 1; n <= 60; n++) await append(it.file, "orders", [`m-${n}`], body);
  const ids = idsOf(it.file, "orders");
  expect(ids.at(-1)).toBe("m-60");
  expect(ids.length).toBeGreaterThanOrEqual(15);
  expect(ids.length).toBeLessThanOrEqual(20);
  const log = it.file.log.topic("orders");
  expect(log.firstOffset).toBe(60 - ids.length);
  expect(log.bytes).toBeGreaterThan(ids.length * 1_000);
});

test("messages go when they are older than they need be kept", async () => {
  let nowMs = 1_000_000;
  await using it = await opened({}, () => nowMs);
  await topic(it.file, "orders", { retentionMs: 60_000 });
  await append(it.file, "orders", ["old"], body, nowMs);
  nowMs += 61_000;
  await append(it.file, "orders", ["new"], body, nowMs);
  await it.file.close();
  await using again = await openFile(it.folder, { world, now: () => nowMs });
  await topic(again, "another");
  expect(idsOf(again, "orders")).toEqual(["new"]);
});

test("nothing goes that a service has not read, and doors are closed meanwhile", async () => {
  await using it = await opened();
  await topic(it.file, "orders", { retentionBytes: 10_000 });
  const one = await lane(it.store, "billing");
  await one.commit({ positions: [position("orders", 0)] }).durable;
  const codes: string[] = [];
  for (let n = 1; n <= 30; n++) codes.push(await codeOfFailure(append(it.file, "orders", [`m-${n}`], body)));
  const taken = codes.filter((code) => code === "none").length;
  expect(codes.slice(taken)).toEqual(Array(30 - taken).fill("BACKLOG_FULL"));
  expect(taken).toBeLessThan(15);
  expect(idsOf(it.file, "orders")).toHaveLength(taken);
  await one.commit({ positions: [position("orders", taken)] }).durable;
  // The first wave after it was read makes room.
  await one.commit({ states: [state("1")] }).durable;
  await append(it.file, "orders", ["again"], body);
  expect(idsOf(it.file, "orders").at(-1)).toBe("again");
  expect(idsOf(it.file, "orders").length).toBeLessThanOrEqual(10);
});

test("what a service has subscribed to is kept for it before it has ever run", async () => {
  await using it = await opened();
  await topic(it.file, "orders", { retentionBytes: 10_000, partitions: 4 });
  await it.file.subscribe("billing", ["orders"]);
  for (let n = 1; n <= 8; n++) await append(it.file, "orders", [`m-${n}`], body);
  for (let n = 9; n <= 30; n++) await codeOfFailure(append(it.file, "orders", [`m-${n}`], body));
  expect(idsOf(it.file, "orders")[0]).toBe("m-1");
  const { positions } = await it.store.recover({ service: "billing", lane: 0, lanes: 1 });
  expect(positions).toHaveLength(4);
  expect(positions[0]).toMatchObject({ topic: "orders", logId: "log-of-orders", nextOffset: 0, marks: {} });
});

test("subscribing again leaves a position where it is", async () => {
  await using it = await opened();
  await topic(it.file, "orders");
  const one = await lane(it.store, "billing");
  await append(it.file, "orders", ["m-1"]);
  await it.file.subscribe("billing", ["orders"]);
  await one.commit({ positions: [position("orders", 1)] }).durable;
  await it.file.subscribe("billing", ["orders"]);
  expect((await it.store.recover(one.id)).positions).toMatchObject([{ nextOffset: 1 }]);
});

test("room that deletions leave is used again", async () => {
  await using it = await opened({ checkpointBytes: 100_000, walBytesMax: 1_000_000 });
  await topic(it.file, "orders", { retentionBytes: 200_000 });
  const large = JSON.stringify("x".repeat(20_000));
  for (let n = 1; n <= 300; n++) await append(it.file, "orders", [`m-${n}`], large);
  expect(statSync(`${it.folder}/${fileName}`).size).toBeLessThan(2_000_000);
  expect(statSync(`${it.folder}/${fileName}-wal`).size).toBeLessThan(2_000_000);
  await it.file.close();
  expect(existsSync(`${it.folder}/${fileName}-wal`)).toBe(false);
});

test("an idle file writes nothing", async () => {
  await using it = await opened();
  await lane(it.store);
  const { waves } = it.file.stats();
  for (let turn = 0; turn < 20; turn++) await it.store.renew("orders", 5_000);
  await it.store.survey(["orders"]);
  expect(it.file.stats().waves).toBe(waves);
});

test("a topic's settings may be changed, and hold from then on; its partitions may not", async () => {
  await using it = await opened();
  await topic(it.file, "orders", { retentionBytes: 1_000_000 });
  const spec = { name: "orders", partitions: 1, bytesMax: 5_000, retentionBytes: 10_000 };
  await it.file.configure(spec);
  await it.file.close();
  await using again = await openFile(it.folder, { world });
  expect(again.log.topic("orders").spec).toEqual(spec);
  for (let n = 1; n <= 30; n++) await append(again, "orders", [`m-${n}`], body);
  expect(idsOf(again, "orders").length).toBeLessThan(10);
  await expect(again.configure({ ...spec, partitions: 2 })).rejects.toMatchObject({ code: "TOPIC_MISMATCH" });
});
