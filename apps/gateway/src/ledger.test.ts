import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test, vi } from "vitest";
import { groupCommit, QueueFull } from "./group-commit.ts";
import { openGateway } from "./open.ts";
import { openTestGateway } from "./test-gateway.ts";

const dayMs = 86_400_000;

describe("the ledger", () => {
  test("a restart keeps payments, answers and totals", async () => {
    await using shop = await openTestGateway();
    const first = await shop.authorise("a");
    await shop.capture(first.body.paymentId, "c");
    const before = [await shop.ledger(), (await shop.get("/totals")).body];
    await shop.restart();
    expect([await shop.ledger(), (await shop.get("/totals")).body]).toEqual(before);
    expect((await shop.authorise("a")).body).toEqual(first.body);
    expect(
      (
        await shop.post(`/payments/${first.body.paymentId}/refund`, "r", {
          amount: 1,
          currency: "EUR",
        })
      ).status,
    ).toBe(200);
  });

  test("totals that are read in between are the same as those read once", async () => {
    await using shop = await openTestGateway();
    for (const key of ["a", "b", "c"]) {
      const { paymentId } = (await shop.authorise(key)).body;
      await shop.get("/totals");
      await shop.capture(paymentId, `${key}-capture`, 900);
    }
    const { body: bitByBit } = await shop.get("/totals");
    await shop.restart();
    expect((await shop.get("/totals")).body).toEqual(bitByBit);
    expect(bitByBit.byKind).toContainEqual({
      kind: "capture",
      result: "approved",
      currency: "EUR",
      count: 3,
      amount: 2_700,
    });
  });

  test("an authorisation runs out after its time, with a line of its own, and its money is let go", async () => {
    let nowMs = dayMs;
    await using shop = await openTestGateway({ now: () => nowMs });
    const { paymentId } = (await shop.authorise("a")).body;
    const { paymentId: kept } = (await shop.authorise("b")).body;
    await shop.capture(kept, "b-capture");
    nowMs += 7 * dayMs;
    await vi.waitUntil(async () => (await shop.get(`/payments/${paymentId}`)).body.state === "expired", {
      timeout: 10_000,
    });
    expect((await shop.ledger()).at(-1)).toMatchObject({
      key: null,
      paymentId,
      kind: "expire",
      amount: 1_000,
      result: "approved",
    });
    expect((await shop.get(`/payments/${kept}`)).body.state).toBe("captured");
    const { accounts } = (await shop.get("/totals")).body;
    expect(accounts.find(({ account }: { account: string }) => account === "holds").balance).toBe(0);
    expect((await shop.capture(paymentId, "late")).body.code).toBe("authorisation_expired");
  });

  test.each([
    [
      "an entry is changed",
      "UPDATE entry SET amount = amount + 1 WHERE operation = 1 AND account = 'holds'",
      "debits of an operation",
    ],
    ["a payment is changed", "UPDATE payment SET captured = 500 WHERE n = 2", "what was captured"],
    ["an operation is removed", "DELETE FROM operation WHERE key = 'b-capture'", "its operations say"],
    ["a hold is forgotten", "UPDATE payment SET state = 'voided' WHERE n = 1", "What is held"],
    ["a refusal moves money", "UPDATE operation SET result = 'refused' WHERE n = 1", "refused operation"],
  ])("the audit sees that %s", async (_name, sql, rule) => {
    await using shop = await openTestGateway();
    await shop.authorise("a");
    await shop.capture((await shop.authorise("b")).body.paymentId, "b-capture");
    expect((await shop.get("/audit")).body.findings).toEqual([]);
    const db = new DatabaseSync(join(shop.folder, "gateway.sqlite"), {
      enableForeignKeyConstraints: false,
    });
    db.exec(sql);
    db.close();
    const { findings } = (await shop.get("/audit")).body;
    expect(findings.map((finding: { rule: string }) => finding.rule)).toContainEqual(expect.stringContaining(rule));
  });

  test("a ledger of another version, and a port that is taken, are refused with a reason", async () => {
    await using shop = await openTestGateway();
    const { port } = new URL(shop.gateway.url);
    const folder = mkdtempSync(join(tmpdir(), "waybill-gateway-"));
    await expect(openGateway({ data: folder, port: Number(port) })).rejects.toThrow("EADDRINUSE");
    const db = new DatabaseSync(join(folder, "gateway.sqlite"));
    db.exec("PRAGMA user_version = 99");
    db.close();
    await expect(openGateway({ data: folder, port: 0 })).rejects.toThrow("has version 99");
    rmSync(folder, { recursive: true });
  });
});

describe("group commit", () => {
  function table() {
    const db = new DatabaseSync(":memory:");
    db.exec("CREATE TABLE t (x INTEGER PRIMARY KEY)");
    const begun = vi.spyOn(db, "exec");
    const insert = (x: number) => () => db.prepare("INSERT INTO t VALUES (?)").run(x).lastInsertRowid;
    const commits = () => begun.mock.calls.filter(([sql]) => sql === "COMMIT").length;
    const count = () => db.prepare("SELECT count(*) AS n FROM t").get()?.n;
    return { db, insert, commits, count };
  }

  test("what arrives together shares commits, of a bounded size", async () => {
    const { db, insert, commits, count } = table();
    const group = groupCommit(db, { group: 4, queue: 100 });
    const results = await Promise.all(Array.from({ length: 10 }, (_, i) => group.run(insert(i + 1))));
    expect(results).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect([commits(), count()]).toEqual([3, 10]);
  });

  test("when the database refuses a group, all of it fails and none of it stays; the next works", async () => {
    const { db, insert, count } = table();
    const group = groupCommit(db, { group: 10, queue: 100 });
    const results = await Promise.allSettled([group.run(insert(1)), group.run(insert(1)), group.run(insert(2))]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(count()).toBe(0);
    expect(await group.run(insert(3))).toBe(3);
  });

  test("a full queue refuses, and flushing commits what waits", async () => {
    const { db, insert, count } = table();
    const group = groupCommit(db, { group: 10, queue: 2 });
    const waiting = [group.run(insert(1)), group.run(insert(2))];
    await expect(group.run(insert(3))).rejects.toThrow(QueueFull);
    group.flush();
    expect(count()).toBe(2);
    expect(await Promise.all(waiting)).toEqual([1, 2]);
  });
});
