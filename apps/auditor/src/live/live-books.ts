import { accessSync, constants, existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Shipment } from "@waybill/fulfilment";
import type { Reservation, Stock } from "@waybill/inventory";
import { partitionOf } from "@waybill/messaging";
import type { Order } from "@waybill/orders";
import type { Payment } from "@waybill/payments";
import { fileName, topicSpan } from "@waybill/store-sqlite";
import type { LogMessage } from "../books.ts";
import { isShopService, parkedAt, waiting } from "../log/told.ts";
import { lateMs } from "../log/log-pass.ts";
import { ChunkCursor } from "../read/chunk-cursor.ts";

/** A topic as it is in this moment. */
export interface LiveTopic {
  readonly id: number;
  readonly name: string;
  readonly partitions: number;
  readonly nextOffset: number;
  /** Per partition one past its last message. */
  readonly ends: readonly number[];
}

/** One order as it is in this moment, but for what nobody has read yet. */
export interface LiveOrder {
  readonly orderId: string;
  readonly order: Order | undefined;
  readonly reservation: Reservation | undefined;
  readonly payment: Payment | undefined;
  readonly shipment: Shipment | undefined;
  /** Changes with each change of its states. */
  readonly versions: string;
  /** What is on its way for it: timers, calls, parked inputs. */
  readonly waiting: number;
}

/** A payment as the gateway has it, with what was taken and given back so far. */
export interface LivePayment {
  readonly state: string;
  readonly authorised: number;
  readonly captured: number;
  readonly refunded: number;
  readonly currency: string;
}

const kinds = [
  ["orders", "order"],
  ["inventory", "reservation"],
  ["payments", "payment"],
  ["fulfilment", "shipment"],
] as const;

/** The shop's file for many small looks. Between `begin` and `end` it shows one moment. */
export class LiveBooks implements Disposable {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #cursor = new ChunkCursor();

  constructor(folder: string) {
    const path = join(folder, fileName);
    accessSync(path, constants.R_OK);
    this.#db = new DatabaseSync(path, { readOnly: true, timeout: 1_000 });
    this.#db.exec("pragma cache_size = -1024");
  }

  /** Rises when anything was written. */
  version(): number {
    return (this.#one("pragma data_version") as { data_version: number }).data_version;
  }

  begin(): void {
    this.#db.exec("begin");
  }

  end(): void {
    if (this.#db.isTransaction) this.#db.exec("commit");
  }

  topics(): readonly LiveTopic[] {
    const sql = "select id, name, partitions, next_off as nextOffset, ends from topic";
    return (this.#all(sql) as (Omit<LiveTopic, "ends"> & { ends: string })[]).map(({ ends, ...topic }) => ({
      ...topic,
      ends: JSON.parse(ends) as number[],
    }));
  }

  /** Reads one chunk at or after an offset; returns where the next begins, undefined when there is none. */
  chunk(topic: LiveTopic, from: number, visit: (message: LogMessage) => void): number | undefined {
    const base = topic.id * topicSpan;
    const sql = "select off, count, records from chunk where off >= ? and off < ? order by off limit 1";
    const row = this.#one(sql, base + from, base + topic.nextOffset) as
      | { off: number; count: number; records: string }
      | undefined;
    if (row === undefined) return undefined;
    this.#cursor.open(topic.name, row.off - base, row.records);
    while (this.#cursor.next()) visit(this.#cursor);
    return row.off - base + row.count;
  }

  order(orderId: string, partitions: number): LiveOrder {
    const bodies: unknown[] = [];
    const versions: number[] = [];
    for (const [service, kind] of kinds) {
      const sql = "select version, body from state where service = ? and kind = ? and id = ?";
      const row = this.#one(sql, service, kind, orderId) as { version: number; body: string } | undefined;
      versions.push(row?.version ?? 0);
      bodies.push(row === undefined ? undefined : JSON.parse(row.body));
    }
    const [order, reservation, payment, shipment] = bodies as [Order, Reservation, Payment, Shipment];
    const word = this.#waiting(orderId, partitionOf(orderId, partitions));
    return { orderId, order, reservation, payment, shipment, versions: versions.join("/"), waiting: word };
  }

  #waiting(key: string, partition: number): number {
    let word = 0;
    const timer = this.#one(
      "select due_ms as dueMs, (select min(time_ms) from lane where service = 'orders') as nowMs from timer where service = 'orders' and partition = ? and key = ? and name = 'payment-deadline'",
      partition,
      key,
    ) as { dueMs: number; nowMs: number } | undefined;
    if (timer !== undefined) word |= timer.dueMs + lateMs < timer.nowMs ? waiting.deadlineLate : waiting.deadline;
    const call = "select 1 from effect where service = 'payments' and partition = ? and key = ? limit 1";
    if (this.#one(call, partition, key) !== undefined) word |= waiting.gatewayCall;
    for (const [service] of kinds) {
      const parked = "select 1 from parked_key where service = ? and partition = ? and key = ?";
      if (isShopService(service) && this.#one(parked, service, partition, key) !== undefined) word |= parkedAt(service);
    }
    return word;
  }

  /** Ids of orders after one, in the order of their ids. */
  orderIds(after: string, limit: number): readonly string[] {
    const sql = "select id from state where service = 'orders' and kind = 'order' and id > ? order by id limit ?";
    return (this.#all(sql, after, limit) as { id: string }[]).map(({ id }) => id);
  }

  stock(sku: string): Stock | undefined {
    const sql = "select body from state where service = 'inventory' and kind = 'stock' and id = ?";
    const row = this.#one(sql, sku) as { body: string } | undefined;
    return row === undefined ? undefined : (JSON.parse(row.body) as Stock);
  }

  /** How far every service has read one partition of each topic. */
  positions(partition: number): readonly { readonly topic: string; readonly nextOffset: number }[] {
    const sql = "select topic, min(next_offset) as nextOffset from position where partition = ? group by topic";
    return this.#all(sql, partition) as { topic: string; nextOffset: number }[];
  }

  stoppedLanes(): readonly { readonly service: string; readonly lane: number; readonly stopped: string }[] {
    const sql = "select service, lane, stopped from lane where stopped is not null";
    return this.#all(sql) as { service: string; lane: number; stopped: string }[];
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#db.prepare(sql)));
    return statement;
  }

  #one(sql: string, ...values: (string | number)[]): unknown {
    return this.#statement(sql).get(...values);
  }

  #all(sql: string, ...values: (string | number)[]): unknown[] {
    return this.#statement(sql).all(...values);
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}

/** The sandbox's ledger for small looks. */
export class LiveLedger implements Disposable {
  readonly #db: DatabaseSync;
  readonly #payments: StatementSync;
  readonly #newest: StatementSync;
  readonly #repeats: StatementSync;
  readonly #entries: StatementSync;

  constructor(path: string) {
    this.#db = new DatabaseSync(path, { readOnly: true, timeout: 1_000 });
    this.#db.exec("pragma cache_size = -512");
    this.#payments = this.#db.prepare(
      "select state, authorised, captured, refunded, currency from payment where reference = ? order by n limit 100",
    );
    this.#newest = this.#db.prepare("select n, key, at_ms as atMs from operation where n > ? order by n limit ?");
    this.#repeats = this.#db.prepare("select count(*) as count from operation where key = ?");
    this.#entries = this.#db.prepare("select coalesce(sum(amount), 0) as sum from entry where operation = ?");
  }

  /** The ledger in a data folder; undefined when there is none. */
  static in(folder: string): LiveLedger | undefined {
    const path = join(folder, "gateway", "gateway.sqlite");
    return existsSync(path) ? new LiveLedger(path) : undefined;
  }

  payments(reference: string): readonly LivePayment[] {
    return this.#payments.all(reference) as unknown as LivePayment[];
  }

  lastN(): number {
    return (this.#db.prepare("select coalesce(max(n), 0) as n from operation").get() as { n: number }).n;
  }

  /** Operations after number `after`: how many share each one's key, and by how much its debits differ from its credits. */
  operations(after: number, limit: number) {
    const rows = this.#newest.all(after, limit) as { n: number; key: string | null; atMs: number }[];
    return rows.map(({ n, key, atMs }) => ({
      n,
      key,
      atMs,
      sharing: key === null ? 1 : (this.#repeats.get(key) as { count: number }).count,
      difference: (this.#entries.get(n) as { sum: number }).sum,
    }));
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}
