import { WaybillError, type Envelope } from "@waybill/messaging";
import { attributeLines, blockBytes } from "./headers.ts";
import type { StreamTopic } from "./stream-config.ts";
import { subjectOf } from "./subject.ts";

/**
 * What nats-server takes in one atomic batch unless its settings say otherwise; it doesn't tell its clients. A smaller
 * limit is learned from its refusal.
 */
export const batchMessagesMax = 1_000;

/** What we put into one batch: a batch is staged by the server, and everybody else's appends wait for its commit. */
export const batchBytesMax = 4_194_304;

/** A message ready to be published, but for the lines that make it part of a batch. */
export interface Outgoing {
  readonly subject: string;
  readonly lines: string;
  readonly body: Uint8Array;
}

/** Turns an envelope into a message. Throws MESSAGE_TOO_LARGE when the topic or its stream would not take it. */
export function outgoing(topic: StreamTopic, partition: number, envelope: Envelope): Outgoing {
  const { body } = envelope;
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  const size = attributeBytes(envelope) + bytes.byteLength;
  if (size > topic.bytesMax) throw tooLarge(topic.name, size, topic.bytesMax);
  const lines = attributeLines(envelope);
  const record = blockBytes(lines) + batchLinesMax + bytes.byteLength;
  if (record > topic.recordMax) throw tooLarge(topic.name, record, topic.recordMax);
  return { subject: subjectOf(topic.name, partition, envelope.type), lines, body: bytes };
}

function attributeBytes(envelope: Envelope): number {
  const { id, type, subject, key, producer, correlation, causation = "", traceparent = "" } = envelope;
  return Buffer.byteLength(id + type + subject + key + producer + correlation + causation + traceparent);
}

function tooLarge(topic: string, bytes: number, bytesMax: number): WaybillError {
  return new WaybillError(
    "MESSAGE_TOO_LARGE",
    `A message of ${bytes} bytes is larger than topic "${topic}" takes, ${bytesMax}.`,
    {
      details: { topic, bytes, bytesMax },
    },
  );
}

/** More than the longest lines below take. */
const batchLinesMax = 160;

/** The lines that make a message the n-th of a batch, and end the batch with the last. */
export function batchLines(id: string, n: number, last: boolean): string {
  const lines = `Nats-Batch-Id: ${id}\r\nNats-Batch-Sequence: ${n}\r\n`;
  return last ? `${lines}Nats-Batch-Commit: 1\r\n` : lines;
}

/** A destination's messages in pieces that each fit into one batch. */
export function* pieces(messages: readonly Outgoing[], messagesMax = batchMessagesMax): Generator<readonly Outgoing[]> {
  let from = 0;
  let bytes = 0;
  for (const [at, message] of messages.entries()) {
    const size = sizeOf(message);
    if (at > from && (at - from >= messagesMax || bytes + size > batchBytesMax)) {
      yield messages.slice(from, at);
      from = at;
      bytes = 0;
    }
    bytes += size;
  }
  yield from === 0 ? messages : messages.slice(from);
}

export function sizeOf({ lines, body }: Outgoing): number {
  return lines.length + body.byteLength;
}
