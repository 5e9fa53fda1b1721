import { bodyBytes, type Envelope, type StoredMessage } from "@waybill/messaging";

/** One partition's messages, in order of offset. What lies between two offsets was never a message. */
export interface PartitionLog {
  readonly partition: number;
  readonly messages: StoredMessage[];
  firstOffset: number;
  nextOffset: number;
}

export function emptyPartition(partition: number): PartitionLog {
  return { partition, messages: [], firstOffset: 0, nextOffset: 0 };
}

/** Stores one message behind the others and returns its offset. */
export function store(log: PartitionLog, topic: string, envelope: Envelope, malformed?: string): number {
  const offset = log.nextOffset;
  const reason = malformed === undefined ? {} : { malformed };
  log.messages.push(byValue({ ...envelope, ...reason, topic, partition: log.partition, offset }));
  log.nextOffset = offset + 1;
  return offset;
}

/** The index of the first message at or after an offset. */
export function indexOf(log: PartitionLog, offset: number): number {
  let low = 0;
  let high = log.messages.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (log.messages[middle]!.offset < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The message at exactly this offset. */
export function messageAt(log: PartitionLog, offset: number): StoredMessage | undefined {
  const message = log.messages[indexOf(log, offset)];
  return message?.offset === offset ? message : undefined;
}

/** The first offset whose message was published at or after this time; the end when none was. */
export function offsetAt(log: PartitionLog, atMs: number): number {
  return log.messages.find((message) => message.atMs >= atMs)?.offset ?? log.nextOffset;
}

/** Retention: nothing before this offset is kept any more. Offsets go on where they were. */
export function dropBefore(log: PartitionLog, offset: number): void {
  const first = Math.min(Math.max(offset, log.firstOffset), log.nextOffset);
  log.messages.splice(0, indexOf(log, first));
  log.firstOffset = first;
}

/** Forgets the last messages as if they had never been appended: their offsets are given again. */
export function loseTail(log: PartitionLog, count: number): void {
  const lost = log.messages.splice(Math.max(log.messages.length - count, 0));
  if (lost.length > 0) log.nextOffset = lost[0]!.offset;
}

/** A message's size in bytes: its body and the attributes that are text. */
export function messageBytes(message: Envelope): number {
  const { id, type, subject, key, producer, correlation, causation = "", traceparent = "" } = message;
  const attributes = [id, type, subject, key, producer, correlation, causation, traceparent];
  return attributes.reduce((bytes, attribute) => bytes + bodyBytes(attribute), bodyBytes(message.body));
}

/** A copy that shares nothing with the original that could be changed. */
export function byValue(message: StoredMessage): StoredMessage {
  const stamp = message.stamp === undefined ? {} : { stamp: Object.freeze({ ...message.stamp }) };
  const body = typeof message.body === "string" ? message.body : message.body.slice();
  // Whoever reads it may be another build: it parses and checks the body itself.
  return Object.freeze({ ...message, ...stamp, body, value: undefined });
}
