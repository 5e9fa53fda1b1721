import {
  bodyBytes,
  WaybillError,
  type Append,
  type AppendResult,
  type Envelope,
  type Position,
  type Reader,
  type TopicSpec,
  type Transport,
} from "@waybill/messaging";
import { AppendJob, change, type EmbeddedFile, type TopicLog } from "@waybill/store-sqlite";
import { boundsOf } from "./bounds.ts";
import { messageAt } from "./cursor.ts";
import { EmbeddedReader } from "./reader.ts";

/** What the log is called, and how much of it its readers see. */
export interface EmbeddedTransportOptions {
  readonly name?: string;
  /** Readers see only what is durable: for everybody who does not share the file's fate. Lanes see what is applied. */
  readonly durable?: boolean;
}

/** The logs of the topics in an embedded file. Closing it closes its readers, not the file. */
export function embeddedTransport(file: EmbeddedFile, options: EmbeddedTransportOptions = {}): Transport {
  const { name = "embedded", durable = file.readOnly } = options;
  const { log } = file;
  const readers = new Set<EmbeddedReader>();
  let closed = false;
  const alive = (): void => {
    if (closed) throw new WaybillError("CLOSED", `The transport "${name}" is closed.`);
  };
  const interrupt = (): void => {
    for (const reader of readers) reader.interrupt();
  };
  file.onClose(interrupt);

  return {
    name,
    async declare(spec) {
      alive();
      await declare(file, spec);
    },
    async append(batches, signal) {
      alive();
      return Promise.all(batches.map((batch) => append(file, batch, signal)));
    },
    reader(from: readonly Position[]): Reader {
      const reader = new EmbeddedReader(file, from, { durable, alive, onClosed: (one) => readers.delete(one) });
      readers.add(reader);
      return reader;
    },
    async read(topic, partition, offset) {
      alive();
      file.look();
      const found = log.topic(topic);
      return offset < log.end(found, durable) ? messageAt(log, found, partition, offset) : undefined;
    },
    async bounds(topic, atMs) {
      alive();
      file.look();
      return boundsOf(log, log.topic(topic), durable, atMs);
    },
    async report() {},
    async [Symbol.asyncDispose]() {
      closed = true;
      interrupt();
    },
  };
}

async function declare(file: EmbeddedFile, spec: TopicSpec): Promise<void> {
  const found = file.log.topics.get(spec.name);
  if (found !== undefined) refuseOther(found.spec, spec);
  await change(
    file.writer(),
    () => (file.log.topics.has(spec.name) ? undefined : file.log.add({ ...spec }, file.world.newId())),
    (wave, topic) => wave.topics.add(topic),
  );
}

function refuseOther(found: TopicSpec, asked: TopicSpec): void {
  for (const setting of ["partitions", "bytesMax", "retentionMs", "retentionBytes"] as const) {
    if (found[setting] === asked[setting]) continue;
    throw new WaybillError(
      "TOPIC_MISMATCH",
      `Topic "${found.name}" exists with ${setting} ${found[setting] ?? "not set"}; ${asked[setting] ?? "not set"} was declared.`,
      { details: { topic: found.name, setting, found: found[setting], declared: asked[setting] } },
    );
  }
}

async function append(file: EmbeddedFile, batch: Append, signal: AbortSignal): Promise<AppendResult> {
  const refused = refusal(file, batch, signal);
  if (refused !== undefined) return { ok: false, error: refused };
  const job = new AppendJob(batch, file.log.topic(batch.topic), file.log);
  file.writer().submit(job);
  return unlessAborted(job.result.promise, batch, signal);
}

function refusal(
  file: EmbeddedFile,
  { topic: name, partition, messages }: Append,
  signal: AbortSignal,
): WaybillError | undefined {
  const details = { topic: name, partition };
  const topic = file.log.topics.get(name);
  if (topic === undefined) return new WaybillError("TOPIC_UNKNOWN", `Topic "${name}" is not declared.`, { details });
  const { partitions } = topic.spec;
  if (!(partition >= 0 && partition < partitions)) {
    return new WaybillError(
      "TOPIC_UNKNOWN",
      `Topic "${name}" has ${partitions} partitions; there is no number ${partition}.`,
      { details },
    );
  }
  if (signal.aborted) return givenUp(details);
  return tooLarge(topic, messages);
}

function tooLarge(topic: TopicLog, messages: readonly Envelope[]): WaybillError | undefined {
  const { name, bytesMax } = topic.spec;
  for (const message of messages) {
    const bytes = messageBytes(message);
    if (bytes <= bytesMax) continue;
    const text = `A message of ${bytes} bytes is larger than topic "${name}" takes, ${bytesMax}.`;
    return new WaybillError("MESSAGE_TOO_LARGE", text, { details: { topic: name, id: message.id, bytes, bytesMax } });
  }
  return undefined;
}

/** A message's size in bytes: its body and the attributes that are text. */
function messageBytes(message: Envelope): number {
  const { id, type, subject, key, producer, correlation, causation = "", traceparent = "" } = message;
  const attributes = [id, type, subject, key, producer, correlation, causation, traceparent].join("");
  return Buffer.byteLength(attributes) + bodyBytes(message.body);
}

/** The result, or as soon as the caller gives up, that it is not known. */
function unlessAborted(result: Promise<AppendResult>, batch: Append, signal: AbortSignal): Promise<AppendResult> {
  return new Promise((resolve) => {
    const abort = (): void =>
      resolve({ ok: false, error: givenUp({ topic: batch.topic, partition: batch.partition }) });
    signal.addEventListener("abort", abort, { once: true });
    void result.then((known) => {
      signal.removeEventListener("abort", abort);
      resolve(known);
    });
  });
}

function givenUp(details: { topic: string; partition: number }): WaybillError {
  const text = `The append to partition ${details.partition} of topic "${details.topic}" was given up; it may be stored.`;
  return new WaybillError("TRANSPORT_UNAVAILABLE", text, { details });
}
