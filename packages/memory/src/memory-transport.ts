import {
  messageOf,
  WaybillError,
  type Envelope,
  type Append,
  type OutgoingMessage,
  type AppendResult,
  type PartitionBounds,
  type Transport,
  type World,
} from "@waybill/messaging";
import {
  createTopic,
  declareTopic,
  partitionNamed,
  topicNamed,
  wakeReaders,
  type Broker,
  type TopicLog,
} from "./broker.ts";
import { byValue, dropBefore, loseTail, messageAt, messageBytes, offsetAt, store, type PartitionLog } from "./log.ts";
import { memoryReader } from "./memory-reader.ts";

/** What a log in memory is given. */
export interface MemoryTransportOptions {
  /** Its ids name the logs, its sleep is what a waiting reader waits with. */
  readonly world: World;
  readonly name?: string;
  /** How many offsets stay unused before the next message; 0 always, unless given. */
  readonly hole?: () => number;
}

/** One process' connection to the shared logs. */
export interface TransportHandle extends Transport {
  /** As kill -9 of its process: from now on everything rejects with CLOSED, what waits included. */
  kill(): void;
}

/** Logs in memory, with what a test may do to them behind a service's back. */
export interface MemoryTransport extends TransportHandle {
  /** A connection of its own to the same logs, as another process has. */
  handle(): TransportHandle;
  /** Retention: deletes what lies before this offset. */
  dropBefore(topic: string, partition: number, offset: number): void;
  /** Deletes the topic and makes it anew: empty, under another log id. */
  recreate(topic: string): void;
  /** Loses the last messages although they were acknowledged; their offsets are given again. */
  loseTail(topic: string, partition: number, count: number): void;
  /** Leaves offsets at the end unused, as a transaction's marker does. */
  leaveHole(topic: string, partition: number, count?: number): void;
  /** Appends a record that is not an envelope, as a stranger may. */
  appendUnreadable(topic: string, partition: number, bytes: Uint8Array): void;
  /** What a store that keeps these logs appends with a batch: all, or none and BATCH_REFUSED. */
  appendWhole(messages: readonly OutgoingMessage[]): void;
  has(topic: string): boolean;
}

/** A durable partitioned log, but for the "durable": all of it lies in memory. The same calls give the same log. */
export function memoryTransport(options: MemoryTransportOptions): MemoryTransport {
  const { world, name = "memory", hole = () => 0 } = options;
  const broker: Broker = { world, topics: new Map(), waiting: new Set(), hole };
  const at = (topic: string, partition: number): PartitionLog => partitionNamed(topicNamed(broker, topic), partition);
  /** A change that readers must look at. */
  const change = (work: () => void): void => {
    work();
    wakeReaders(broker);
  };
  return {
    ...connect(broker, name),
    handle: () => connect(broker, name),
    dropBefore: (topic, partition, offset) => change(() => dropBefore(at(topic, partition), offset)),
    recreate: (topic) => change(() => createTopic(broker, topicNamed(broker, topic).spec)),
    loseTail: (topic, partition, count) => change(() => loseTail(at(topic, partition), count)),
    leaveHole: (topic, partition, count = 1) =>
      change(() => {
        at(topic, partition).nextOffset += count;
      }),
    appendUnreadable: (topic, partition, bytes) => change(() => storeUnreadable(at(topic, partition), topic, bytes)),
    appendWhole: (messages) => change(() => appendWhole(broker, messages)),
    has: (topic) => broker.topics.has(topic),
  };
}

function connect(broker: Broker, name: string): TransportHandle {
  let closed = false;
  const alive = (): void => {
    if (closed) throw new WaybillError("CLOSED", `The transport "${name}" is closed.`);
  };
  const kill = (): void => {
    closed = true;
    wakeReaders(broker);
  };
  return {
    name,
    kill,
    async declare(topic) {
      alive();
      declareTopic(broker, topic);
    },
    async append(batches, signal) {
      alive();
      const results = batches.map((batch) => (signal.aborted ? givenUp(batch) : appended(broker, batch)));
      wakeReaders(broker);
      return results;
    },
    reader: (from) => memoryReader(broker, from, alive),
    async read(topic, partition, offset) {
      alive();
      const message = messageAt(partitionNamed(topicNamed(broker, topic), partition), offset);
      return message === undefined ? undefined : byValue(message);
    },
    async bounds(topic, atMs) {
      alive();
      const found = topicNamed(broker, topic);
      return found.partitions.map((log) => boundsOf(found, log, atMs));
    },
    async report() {
      alive();
    },
    async [Symbol.asyncDispose]() {
      kill();
    },
  };
}

/** Stores a destination's messages up to the first that the topic does not take. */
function appended(broker: Broker, batch: Append): AppendResult {
  try {
    const topic = topicNamed(broker, batch.topic);
    partitionNamed(topic, batch.partition);
    const offsets = batch.messages.map((message) => {
      refuseLarge(topic, messageBytes(message));
      return append(broker, batch.topic, batch.partition, message);
    });
    return { ok: true, logId: topic.logId, firstOffset: offsets[0]!, lastOffset: offsets.at(-1)! };
  } catch (error) {
    if (error instanceof WaybillError) return { ok: false, error };
    throw error;
  }
}

function appendWhole(broker: Broker, messages: readonly OutgoingMessage[]): void {
  try {
    for (const message of messages) {
      const topic = topicNamed(broker, message.topic);
      partitionNamed(topic, message.partition);
      refuseLarge(topic, messageBytes(message));
    }
  } catch (error) {
    throw new WaybillError("BATCH_REFUSED", `A message of the batch cannot be stored: ${messageOf(error)}`, {
      cause: error,
    });
  }
  for (const { topic, partition, ...envelope } of messages) append(broker, topic, partition, envelope);
}

function append(broker: Broker, topic: string, partition: number, envelope: Envelope): number {
  const log = partitionNamed(topicNamed(broker, topic), partition);
  log.nextOffset += broker.hole();
  return store(log, topic, envelope);
}

function refuseLarge(topic: TopicLog, bytes: number): void {
  const { name, bytesMax } = topic.spec;
  if (bytes <= bytesMax) return;
  throw new WaybillError(
    "MESSAGE_TOO_LARGE",
    `A message of ${bytes} bytes is larger than topic "${name}" takes, ${bytesMax}.`,
    {
      details: { topic: name, bytes, bytesMax },
    },
  );
}

function givenUp({ topic, partition }: Append): AppendResult {
  const text = `The append to partition ${partition} of topic "${topic}" was given up before it began.`;
  return {
    ok: false,
    error: new WaybillError("TRANSPORT_UNAVAILABLE", text, { details: { topic, partition } }),
  };
}

function boundsOf(topic: TopicLog, log: PartitionLog, atMs: number | undefined): PartitionBounds {
  return {
    topic: topic.spec.name,
    partition: log.partition,
    logId: topic.logId,
    firstOffset: log.messages.length === 0 ? log.nextOffset : log.firstOffset,
    nextOffset: log.nextOffset,
    bytes: log.messages.reduce((bytes, message) => bytes + messageBytes(message), 0),
    ...(atMs === undefined ? {} : { offsetAt: offsetAt(log, atMs) }),
  };
}

/** The attributes of what is no envelope are made up from its position. */
function storeUnreadable(log: PartitionLog, topic: string, bytes: Uint8Array): void {
  const madeUp = `${topic}-${log.partition}-${log.nextOffset}`;
  const envelope = {
    id: madeUp,
    type: "unreadable",
    schema: 0,
    subject: madeUp,
    key: madeUp,
    producer: "unknown",
    atMs: 0,
    correlation: madeUp,
    body: bytes,
  };
  store(log, topic, envelope, "The record has no attributes.");
}
