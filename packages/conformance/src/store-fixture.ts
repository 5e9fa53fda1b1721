import {
  bareBatch,
  type Batch,
  type EffectRow,
  type LaneId,
  type LaneRow,
  type Member,
  type OutgoingMessage,
  type ParkedInput,
  type ParkedKey,
  type PositionRow,
  type StateWrite,
  type Store,
  type TimerRow,
} from "@waybill/messaging";
import { failure, hex } from "./transport-fixture.ts";

/** A store to be tried, with nothing in it, and what the cases must be able to do to it. */
export interface StoreUnderTest extends AsyncDisposable {
  /** It hosts none of the cases' topics: orders, payments, shipments. */
  readonly store: Store;
  /** Another process' connection to the same database; the same store where only one process may write. */
  readonly peer: Store;
  /** As kill -9 of every process and a new start: what is not durable may be gone. The stores before are not used any more. */
  crash(): Promise<Store>;
  /** Lets the store's clock go on: a virtual one is put forward, a real one waited for. */
  pass(ms: number): Promise<void>;
}

/** Opens a store of its own for one case. */
export type OpenStore = () => Promise<StoreUnderTest>;

export const lanes = 2;

/** Far beyond every time that the cases use, and still exact in a double. */
export const farMs = 8_000_000_000_000;

export const limit = 10_000;

export const none: ReadonlySet<string> = new Set();

export function id(lane = 0, service = "orders"): LaneId {
  return { service, lane, lanes };
}

export function member(name: string, level = 1): Member {
  return { id: `member-${name}`, host: `host-${name}`, services: ["orders", "billing"], level };
}

let sources = 0;

export async function declare(store: Store, service = "orders"): Promise<void> {
  await store.declare(service, lanes, () => `source-${++sources}`);
}

/** Declares the service and claims one of its lanes for a member that stays. */
export async function owned(store: Store, lane = 0, service = "orders"): Promise<LaneRow> {
  await declare(store, service);
  await store.join(member("a"), 3_600_000);
  return await claimed(store, lane, "a", service);
}

/** Claims a lane that can be had. */
export async function claimed(store: Store, lane: number, name: string, service = "orders"): Promise<LaneRow> {
  const { epoch } = await store.lane(id(lane, service));
  const row = await store.claim(id(lane, service), member(name).id, 1, epoch);
  if (row === undefined) throw new Error(`Lane ${lane} of ${service} could not be claimed at epoch ${epoch}.`);
  return row;
}

/** The next batch of a lane whose row this is, with nothing in it but what is given. */
export function batch(row: LaneRow, change: Partial<Batch> = {}): Batch {
  const { epoch, timeMs } = row;
  return bareBatch(id(row.lane, row.service), { epoch, batch: row.batch, timeMs, level: 1, inputs: 1, ...change });
}

/** Commits the lane's next batch, waits until it is durable, and gives the lane's row after it. */
export async function commit(store: Store, row: LaneRow, change: Partial<Batch> = {}): Promise<LaneRow> {
  const { applied, durable } = store.commit(batch(row, change));
  await Promise.all([applied, durable]);
  return await store.lane({ ...id(row.lane, row.service) });
}

/** The code with which a batch is refused, in both of its moments. */
export async function refusal(store: Store, refused: Batch): Promise<string> {
  const { applied, durable } = store.commit(refused);
  const [first, second] = await Promise.all([failure(applied), failure(durable)]);
  if (first.code !== second.code) throw new Error(`applied rejects with ${first.code}, durable with ${second.code}.`);
  return first.code;
}

export function position(topic: string, partition: number, nextOffset: number): PositionRow {
  const lastOffset = nextOffset - 1;
  return {
    topic,
    partition,
    logId: "log-1",
    nextOffset,
    lastOffset,
    lastId: `m-${lastOffset}`,
    marks: { "source-9": nextOffset },
  };
}

export function state(stateId: string, version: number, body: string | undefined = `{"v":${version}}`): StateWrite {
  return { kind: "order", id: stateId, home: 0, version, schema: 1, body };
}

export function deletion(stateId: string, version: number): StateWrite {
  return { ...state(stateId, version), body: undefined };
}

export function outgoing(n: number, prev: number, change: Partial<OutgoingMessage> = {}): OutgoingMessage {
  return {
    topic: "payments",
    partition: 0,
    id: `out-${n}`,
    type: "payment.open",
    schema: 1,
    subject: `order-${n}`,
    key: `order-${n}`,
    producer: "orders",
    atMs: 1_800_000_000_000 + n,
    correlation: `m-${n}`,
    causation: `m-${n}`,
    stamp: { source: "source-9", n, prev },
    body: `{"n":${n}}`,
    ...change,
  };
}

export function timer(key: string, dueMs: number, change: Partial<TimerRow> = {}): TimerRow {
  const rest = { schema: 1, body: "{}", correlation: `c-${key}`, causation: `m-${key}` };
  return { partition: 0, key, name: "unpaid", dueMs, ...rest, ...change };
}

export function effect(key: string, seq: number, change: Partial<EffectRow> = {}): EffectRow {
  return {
    partition: 0,
    key,
    queue: "gateway",
    seq,
    id: `effect-${key}-${seq}`,
    name: "authorise",
    schema: 1,
    input: `{"seq":${seq}}`,
    attempts: 0,
    dueMs: 1000,
    correlation: `c-${key}`,
    causation: `m-${key}`,
    ...change,
  };
}

export function parkedInput(key: string, seq: number, change: Partial<ParkedInput> = {}): ParkedInput {
  return {
    partition: 0,
    key,
    seq,
    kind: "message",
    origin: `{"topic":"orders","partition":0,"offset":${seq}}`,
    id: `m-${seq}`,
    type: "order.placed",
    headers: "{}",
    body: `{"seq":${seq}}`,
    ...change,
  };
}

export function parkedKey(key: string, change: Partial<ParkedKey> = {}): ParkedKey {
  return {
    partition: 0,
    key,
    sinceMs: 1_800_000_000_000,
    attempts: 1,
    build: "build-1",
    fingerprint: "MESSAGE_INVALID placed order.placed",
    error: "quantity must be positive",
    ...change,
  };
}

/** A batch that writes into every table. Two of them with different numbers share no row but the lane's. */
export function everywhere(row: LaneRow, number: number): Batch {
  const key = `order-${number}`;
  return batch(row, {
    count: 4,
    timeMs: row.timeMs + 1000,
    inputs: 3,
    positions: [position(`topic-${number}`, row.lane, number)],
    states: [state(key, 1)],
    messages: [outgoing(number, 0, { topic: `topic-${number}`, partition: row.lane })],
    sent: [{ topic: `sent-${number}`, partition: row.lane, n: number, logId: "log-1", lastOffset: number }],
    timers: { set: [timer(key, 5000, { partition: row.lane })], cleared: [] },
    effects: { added: [effect(key, number, { partition: row.lane })], done: [], retried: [] },
    parked: {
      added: [parkedInput(key, number, { partition: row.lane })],
      removed: [],
      keys: [parkedKey(key, { partition: row.lane })],
      released: [],
    },
    seen: [{ source: "shop", id: key, atMs: 1000 }],
  });
}

/** All that a store can be asked about a lane and about what batches `everywhere` with these numbers wrote. */
export async function dump(store: Store, lane: number, numbers: readonly number[]): Promise<unknown> {
  const { positions, parkedKeys, sent, outbox, nextTimerMs } = await store.recover(id(lane));
  const keys = numbers.map((number) => `order-${number}`);
  const each = await Promise.all(
    numbers.map(async (number) => ({
      parked: (await store.parked("orders", lane, `order-${number}`, 0, limit)).map((row) => ({
        ...row,
        body: hex(row.body),
      })),
      outbox: await store.outbox(id(lane), { topic: `topic-${number}`, partition: lane }, 0, limit),
    })),
  );
  return {
    lane: await store.lane(id(lane)),
    positions: sorted(positions),
    parkedKeys: sorted(parkedKeys),
    sent: sorted(sent),
    outbox: sorted(outbox),
    nextTimerMs,
    states: sorted(
      await store.load(
        "orders",
        keys.map((key) => ({ kind: "order", id: key })),
      ),
    ),
    timers: sorted(await store.timers(id(lane), farMs, limit)),
    effects: sorted(await store.effectHeads(id(lane), farMs, limit, none)),
    seen: sorted(
      await store.seen(
        "orders",
        keys.map((key) => ({ source: "shop", id: key })),
      ),
    ),
    each,
  };
}

/** Rows whose order is not promised, in an order. */
export function sorted<Row extends object>(rows: readonly Row[]): Row[] {
  const text = (row: Row): string => JSON.stringify(Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return rows.toSorted((a, b) => (text(a) < text(b) ? -1 : 1));
}
