import { WaybillError, type Append, type AppendResult, type StoredMessage } from "@waybill/messaging";
import type { Job } from "./job.ts";
import type { FileLog } from "./file-log.ts";
import { stored } from "./records.ts";
import type { TopicLog } from "./topic-log.ts";
import type { Wave } from "./wave.ts";

/** One destination's messages on their way into a wave. */
export class AppendJob implements Job {
  readonly result = Promise.withResolvers<AppendResult>();
  readonly #append: Append;
  readonly #log: FileLog;
  readonly #topic: TopicLog;
  readonly #messages: StoredMessage[] = [];

  constructor(append: Append, topic: TopicLog, log: FileLog) {
    this.#append = append;
    this.#topic = topic;
    this.#log = log;
  }

  get inputs(): number {
    return this.#append.messages.length;
  }

  enter(): boolean {
    const { messages, partition } = this.#append;
    const topic = this.#topic;
    if (topic.full) throw full(topic);
    for (const message of messages) {
      this.#messages.push(stored(message, topic.spec.name, partition, topic.nextOffset++));
    }
    topic.ends[partition] = topic.nextOffset;
    return true;
  }

  write(wave: Wave): void {
    for (const message of this.#messages) wave.append(this.#topic, message);
  }

  applied(): void {
    this.#log.wake(this.#topic);
  }

  durable(): void {
    const firstOffset = this.#messages[0]!.offset;
    const lastOffset = this.#messages.at(-1)!.offset;
    this.result.resolve({ ok: true, logId: this.#topic.logId, firstOffset, lastOffset });
  }

  failed(error: Error): void {
    this.result.resolve({ ok: false, error: appendError(error, this.#append) });
  }
}

function full(topic: TopicLog): WaybillError {
  const { name, retentionBytes } = topic.spec;
  const text = `Topic "${name}" has reached its ${retentionBytes} bytes, and a service has not read what would have to be deleted.`;
  return new WaybillError("BACKLOG_FULL", text, { details: { topic: name, retentionBytes } });
}

/** An append never rests on another one: what stops it may pass. */
function appendError(error: Error, { topic, partition }: Append): WaybillError {
  if (error instanceof WaybillError && (error.code === "BACKLOG_FULL" || error.code === "BATCH_REFUSED")) return error;
  return new WaybillError(
    "TRANSPORT_UNAVAILABLE",
    `The append to partition ${partition} of topic "${topic}" failed: ${error.message}`,
    {
      details: { topic, partition },
      cause: error,
    },
  );
}
