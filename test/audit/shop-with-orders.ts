import { cpSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { audit, openSqliteBooks, openSqliteLedger, type AuditReport, type Law } from "@waybill/auditor";
import { startServer, type Config, type ServerOptions } from "@waybill/server";

const tokens = [
  ...Array<string>(12).fill("tok_approved"),
  "tok_declined",
  "tok_charged_answer_lost",
  "tok_capture_answer_lost",
  "tok_authorisation_expired",
];

/** Ids of orders in the folder, by what became of them. */
export interface ShopOrders {
  readonly completed: readonly string[];
  readonly cancelled: readonly string[];
  /** Confirmed, and waiting for somebody to dispatch them. */
  readonly waiting: readonly string[];
}

interface Sent {
  readonly orderId: string;
  readonly status: string;
}

/** Runs a shop in the folder: sixteen orders that go their ways to the end, and three that are left waiting. */
export async function shopWithOrders(data: string, config?: Config): Promise<ShopOrders> {
  const on = config === undefined ? {} : { config };
  const settled = await serve({ data, dispatchAfterMs: 0, ...on }, async (send) => {
    for (const sku of ["pen", "cup", "hat"]) {
      await send("PUT", `/products/${sku}`, { title: sku, price: "2.55", currency: "EUR" });
      await send("POST", `/stock/${sku}/adjustments`, { adjustmentId: sku, quantity: 500, reason: "First delivery" });
    }
    return Promise.all(tokens.map((token, n) => place(send, token, n, /completed|cancelled|rejected|unpaid/)));
  });
  const waiting = await serve({ data, dispatchAfterMs: 3_600_000, ...on }, (send) =>
    Promise.all([0, 1, 2].map((n) => place(send, "tok_approved", tokens.length + n, /confirmed/))),
  );
  const of = (orders: readonly Sent[], wanted: string) =>
    orders.filter(({ status }) => status === wanted).map(({ orderId }) => orderId);
  return {
    completed: of(settled, "completed"),
    cancelled: of(settled, "cancelled"),
    waiting: of(waiting, "confirmed"),
  };
}

type Send = (method: string, path: string, body?: unknown) => Promise<unknown>;

async function serve<T>(options: ServerOptions, use: (send: Send) => Promise<T>): Promise<T> {
  await using server = await startServer({ port: 0, seed: false, log: "none", ...options });
  const send: Send = async (method, path, body) => {
    const headers = { "content-type": "application/json" };
    const sent = body === undefined ? { method } : { method, headers, body: JSON.stringify(body) };
    const response = await fetch(server.url + path, sent);
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  };
  const used = await use(send);
  await untilQuiet(send);
  return used;
}

async function place(send: Send, token: string, n: number, until: RegExp): Promise<Sent> {
  const skus = ["pen", "cup", "hat"];
  const lines = [0, 1].map((line) => ({ sku: skus[(n + line) % 3]!, quantity: 1 + ((n + line) % 4) }));
  const customer = { id: `c-${n}`, email: `c-${n}@customers.example` };
  const { orderId } = (await send("POST", "/orders", { customer, currency: "EUR", lines, payment: { token } })) as Sent;
  for (;;) {
    const { status } = (await send("GET", `/orders/${orderId}`)) as Sent;
    if (until.test(status)) return { orderId, status };
    await pause(10);
  }
}

interface Lane {
  readonly effects?: number;
  readonly topics: readonly { readonly lagMessages: number }[];
}

/** Waits until every service has read everything and no call to the outside is under way. */
async function untilQuiet(send: Send): Promise<void> {
  for (;;) {
    const { lanes } = (await send("GET", "/lanes")) as { lanes: readonly Lane[] };
    if (lanes.every(({ effects, topics }) => effects === 0 && topics.every(({ lagMessages }) => lagMessages === 0)))
      return;
    await pause(10);
  }
}

/** A copy of a shop's folder to be broken by hand. */
export interface BrokenShop {
  readonly folder: string;
  /** Changes the shop's file. */
  change(sql: string, ...values: (string | number)[]): void;
  /** Changes the gateway's ledger. */
  changeGateway(sql: string, ...values: (string | number)[]): void;
  /** Changes the JSON of a state. */
  state(service: string, kind: string, id: string, change: (body: Record<string, unknown>) => void): void;
  /** Changes the records of a topic's log: each is an array, its body last. */
  log(topic: string, change: (records: unknown[][]) => unknown[][]): void;
  audit(options?: { ordersPerPass?: number }): Promise<AuditReport>;
}

export function copyOf(from: string, folder: string): BrokenShop {
  cpSync(from, folder, { recursive: true });
  const path = join(folder, "waybill.db");
  const ledgerPath = join(folder, "gateway", "gateway.sqlite");

  function within<T>(file: string, use: (db: DatabaseSync) => T): T {
    const db = new DatabaseSync(file, { enableForeignKeyConstraints: false });
    try {
      return use(db);
    } finally {
      db.close();
    }
  }

  return {
    folder,
    change: (sql, ...values) => within(path, (db) => changed(db, sql, values)),
    changeGateway: (sql, ...values) => within(ledgerPath, (db) => changed(db, sql, values)),
    state: (service, kind, id, change) =>
      within(path, (db) => {
        const where = "where service = ? and kind = ? and id = ?";
        const row = db.prepare(`select body from state ${where}`).get(service, kind, id) as { body: string };
        const body = JSON.parse(row.body) as Record<string, unknown>;
        change(body);
        changed(db, `update state set body = ? ${where}`, [JSON.stringify(body), service, kind, id]);
      }),
    log: (topic, change) => within(path, (db) => changeLog(db, topic, change)),
    async audit(options = {}) {
      await using ledger = openSqliteLedger(ledgerPath);
      await using books = openSqliteBooks(folder);
      return await audit({ books, ledger, ...options });
    },
  };
}

function changed(db: DatabaseSync, sql: string, values: readonly (string | number)[]): void {
  const { changes } = db.prepare(sql).run(...values);
  if (changes === 0) throw new Error(`Nothing was changed by: ${sql}`);
}

function changeLog(db: DatabaseSync, topic: string, change: (records: unknown[][]) => unknown[][]): void {
  const { id } = db.prepare("select id from topic where name = ?").get(topic) as { id: number };
  const span = 2 ** 44;
  const rows = db
    .prepare("select off, records from chunk where off >= ? and off < ? order by off")
    .all(id * span, (id + 1) * span) as { off: number; records: string }[];
  for (const { off, records } of rows) {
    const now = change(JSON.parse(records) as unknown[][]);
    db.prepare("update chunk set records = ?, count = ? where off = ?").run(JSON.stringify(now), now.length, off);
  }
}

/** The laws that a report says are broken. */
export function brokenLaws({ laws }: AuditReport): readonly Law[] {
  return laws.filter(({ breaches }) => breaches > 0).map(({ law }) => law);
}

/** Makes events of one order messages that say nothing new of it, so that the log tells as much as its state. */
export function unsaid(orderId: string, ...types: readonly string[]): (records: unknown[][]) => unknown[][] {
  const isOne = (record: unknown[]) => record[4] === orderId && types.includes(record[2] as string);
  return (records) => records.map((one) => (isOne(one) ? one.with(2, "order.attention-needed") : one));
}
