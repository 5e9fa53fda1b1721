import {
  WaybillError,
  type Append,
  type AppendResult,
  type Envelope,
  type Fetched,
  type FetchLimits,
  type PartitionBounds,
  type Reader,
  type Transport,
} from "@waybill/messaging";
import { messageAt, type Logs, type TopicLog } from "./log.ts";
import { Cursors } from "./log-reader.ts";
import { fine, type Fate, type Network } from "./network.ts";
import { callOff, onAbort } from "./on-abort.ts";
import type { SimulatedProcess } from "./simulated-process.ts";

const nothing: ReadonlySet<string> = new Set();
const lateMsMax = 20_000;

/** A process' way to the logs: every call takes its time and may fail as the weather has it. */
export function linkedTransport(process: SimulatedProcess, logs: Logs, network: Network): Transport {
  const { weather, chance } = network;
  let isClosed = false;
  const waiting: Wakes = new Set();

  function open(): void {
    if (isClosed) throw new WaybillError("CLOSED", "The transport is closed.");
  }

  function ask<Result>(work: () => Result): Promise<Result> {
    open();
    return network.call(process, undefined, work, fateOfQuestion());
  }

  function fateOfQuestion(): Fate {
    if (weather.fetchFails === 0 || !chance.chance(weather.fetchFails)) return fine;
    return { kind: "lost", error: unavailable("The logs", {}) };
  }

  return {
    name: "simulated",
    declare: async (topic) => ask(() => logs.declare(topic)),
    async append(batches, signal) {
      open();
      if (signal.aborted) return batches.map((batch) => ({ ok: false, error: unavailable("An append", batch) }));
      const work = () => batches.map((batch) => stored(logs, batch, network));
      return network.call(process, "append", work);
    },
    reader: (from) =>
      linkedReader(process, new Cursors(logs, from), logs, network, { isClosed: () => isClosed, waiting }),
    read: async (topic, partition, offset) => ask(() => messageAt(logs.partition(topic, partition), offset)),
    bounds: async (topic, atMs) => ask(() => boundsOf(logs.topic(topic), atMs)),
    report: async () => {},
    async [Symbol.asyncDispose]() {
      isClosed = true;
      for (const wake of waiting) wake();
    },
  };

  function stored(to: Logs, batch: Append, { scheduler }: Network): AppendResult {
    const { topic, partition, messages } = batch;
    const fault = faultOf(topic);
    if (fault === "late") scheduler.after(chance.between(1, lateMsMax), () => kept(to, topic, partition, messages));
    const count =
      fault === "part"
        ? chance.between(0, messages.length - 1)
        : fault === "late" || fault === "fail"
          ? 0
          : messages.length;
    const result = count === 0 ? undefined : kept(to, topic, partition, messages.slice(0, count));
    if (fault !== undefined) return { ok: false, error: unavailable("An append", batch) };
    return result!;
  }

  function faultOf(topic: string): "fail" | "late" | "part" | "answer-lost" | undefined {
    if (weather.down.has(topic)) return "fail";
    const { appendFails, appendLate, appendPart, appendAnswerLost } = weather;
    if (appendFails + appendLate + appendPart + appendAnswerLost === 0) return undefined;
    const roll = chance.next();
    if (roll < appendFails) return "fail";
    if (roll < appendFails + appendLate) return "late";
    if (roll < appendFails + appendLate + appendPart) return "part";
    return roll < appendFails + appendLate + appendPart + appendAnswerLost ? "answer-lost" : undefined;
  }
}

function kept(logs: Logs, topic: string, partition: number, messages: readonly Envelope[]): AppendResult {
  try {
    const { bytesMax } = logs.topic(topic).spec;
    const large = messages.find(({ body }) => body.length > bytesMax);
    if (large !== undefined) {
      const text = `A message of ${large.body.length} bytes is larger than topic "${topic}" takes, ${bytesMax}.`;
      logs.append(topic, partition, messages.slice(0, messages.indexOf(large)));
      return { ok: false, error: new WaybillError("MESSAGE_TOO_LARGE", text) };
    }
    const { first, last } = logs.append(topic, partition, messages);
    return { ok: true, logId: logs.topic(topic).logId, firstOffset: first, lastOffset: last };
  } catch (error) {
    if (error instanceof WaybillError) return { ok: false, error };
    throw error;
  }
}

/** Who waits for something of a closed transport or reader is woken by these. */
type Wakes = Set<() => void>;

function linkedReader(
  process: SimulatedProcess,
  cursors: Cursors,
  logs: Logs,
  network: Network,
  transport: { readonly isClosed: () => boolean; readonly waiting: Wakes },
): Reader {
  const { scheduler, weather } = network;
  let isClosed = false;
  /** Ends the wait of the fetch under way. */
  let wake: (() => void) | undefined;

  function take(limits: FetchLimits): Fetched {
    if (transport.isClosed() || isClosed) throw new WaybillError("CLOSED", "The reader is closed.");
    // Whoever does not wait gets what there is; what stands still is only late for whoever does.
    return cursors.take(limits, limits.waitMs === 0 ? nothing : weather.stalled);
  }

  /** Resolves when one of the topics has changed, the time is over, or the wait is called off. */
  function change(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const over = (): void => {
        timer.run = undefined;
        wake = undefined;
        for (const topic of cursors.topics) logs.waitersOf(topic).delete(changed);
        transport.waiting.delete(over);
        callOff(signal, over);
        process.reach(resolve);
      };
      let isTold = false;
      const changed = (): void => {
        if (isTold) return;
        isTold = true;
        const lateMs = network.hearMs();
        if (lateMs === 0) over();
        else scheduler.after(lateMs, over);
      };
      const timer = scheduler.after(ms, over);
      for (const topic of cursors.topics) logs.waitersOf(topic).add(changed);
      transport.waiting.add(over);
      onAbort(signal, over);
      wake = over;
    });
  }

  return {
    async fetch(limits, signal) {
      const untilMs = scheduler.nowMs + limits.waitMs;
      for (let hasWaited = false; ; hasWaited = true) {
        if (weather.fetchFails > 0 && network.chance.chance(weather.fetchFails)) throw unavailable("A fetch", {});
        const fetched = take(limits);
        const leftMs = untilMs - scheduler.nowMs;
        if (fetched.messages.length > 0 || fetched.next.length > 0) {
          return hasWaited ? fetched : await network.call(process, undefined, () => fetched);
        }
        if (leftMs <= 0 || signal.aborted) return fetched;
        await change(leftMs, signal);
      }
    },
    async [Symbol.asyncDispose]() {
      isClosed = true;
      wake?.();
    },
  };
}

function boundsOf(topic: TopicLog, atMs: number | undefined): PartitionBounds[] {
  return topic.partitions.map((log): PartitionBounds => {
    const bounds = {
      topic: topic.spec.name,
      partition: log.partition,
      logId: topic.logId,
      firstOffset: log.messages.length === 0 ? log.nextOffset : log.firstOffset,
      nextOffset: log.nextOffset,
      bytes: log.bytes,
    };
    if (atMs === undefined) return bounds;
    return { ...bounds, offsetAt: log.messages.find((message) => message.atMs >= atMs)?.offset ?? log.nextOffset };
  });
}

function unavailable(what: string, { topic, partition }: Partial<Append>): WaybillError {
  return new WaybillError(
    "TRANSPORT_UNAVAILABLE",
    `${what} did not reach the broker, or its answer did not come back.`,
    {
      details: { topic, partition },
    },
  );
}
