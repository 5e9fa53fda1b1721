import { derivedId } from "../ids.ts";
import type { Body, Envelope, StoredMessage } from "../message.ts";
import type { Outcome } from "../service.ts";
import type { EffectKey, EffectRow, InputKind, ParkedInput, TimerKey, TimerRow } from "../store.ts";

/** Anything that a lane handles, in one shape, so that all of it can be set aside and taken up again alike. */
export interface Input {
  readonly kind: InputKind;
  readonly id: string;
  readonly type: string;
  readonly schema: number;
  /** The entity: what is handled in order, and parked, as one. */
  readonly subject: string;
  readonly atMs: number;
  readonly topic: string | undefined;
  readonly partition: number;
  readonly offset: number | undefined;
  readonly correlation: string;
  readonly traceparent: string | undefined;
  readonly body: Body;
  /** The parsed body, where it is at hand; the body is then made from it when it is needed. */
  readonly value: unknown;
  readonly malformed: string | undefined;
  /** The message itself, for its stamp and for passing it on. */
  readonly message: StoredMessage | undefined;
  /** The rows that handling it uses up. */
  readonly timer: TimerKey | undefined;
  readonly effect: EffectKey | undefined;
  readonly parked: Pick<ParkedInput, "partition" | "key" | "seq"> | undefined;
}

export function messageInput(message: StoredMessage): Input {
  return {
    kind: "message",
    id: message.id,
    type: message.type,
    schema: message.schema,
    subject: message.subject,
    atMs: message.atMs,
    topic: message.topic,
    partition: message.partition,
    offset: message.offset,
    correlation: message.correlation,
    traceparent: message.traceparent,
    body: message.body,
    value: message.value,
    malformed: message.malformed,
    message,
    timer: undefined,
    effect: undefined,
    parked: undefined,
  };
}

/** A timer's id is the same however often it fires for the same setting. */
export function timerInput(row: TimerRow): Input {
  return {
    ...blank,
    kind: "timer",
    id: derivedId(row.causation, row.key, row.name, row.dueMs),
    type: row.name,
    schema: row.schema,
    subject: row.key,
    atMs: row.dueMs,
    partition: row.partition,
    correlation: row.correlation,
    body: row.body,
    timer: { partition: row.partition, key: row.key, name: row.name },
  };
}

/** @param input what the effect was called with, parsed. */
export function resultInput(row: EffectRow, input: unknown, outcome: Outcome<unknown>, atMs: number): Input {
  return {
    ...blank,
    kind: "result",
    id: `${row.id}/result`,
    type: row.name,
    schema: row.schema,
    subject: row.key,
    atMs,
    partition: row.partition,
    correlation: row.correlation,
    traceparent: row.traceparent,
    body: "",
    value: { input, outcome },
    effect: { partition: row.partition, key: row.key, queue: row.queue, seq: row.seq },
  };
}

const blank = {
  value: undefined,
  topic: undefined,
  offset: undefined,
  traceparent: undefined,
  malformed: undefined,
  message: undefined,
  timer: undefined,
  effect: undefined,
  parked: undefined,
} as const;

/** The row that sets an input aside under `key`. The rows that it used up are gone; nothing of it is lost. */
export function parkedRow(input: Input, partition: number, key: string, seq: number): ParkedInput {
  const { schema, subject, atMs, correlation, traceparent, malformed, message } = input;
  const { key: routing, producer, causation } = (message ?? {}) as Partial<Envelope>;
  return {
    partition,
    key,
    seq,
    kind: input.kind,
    origin: JSON.stringify({ topic: input.topic, partition: input.partition, offset: input.offset }),
    id: input.id,
    type: input.type,
    headers: JSON.stringify({
      schema,
      subject,
      atMs,
      correlation,
      traceparent,
      malformed,
      key: routing,
      producer,
      causation,
    }),
    body: input.value === undefined ? input.body : JSON.stringify(input.value),
  };
}

interface ParkedHeaders {
  readonly schema: number;
  readonly subject: string;
  readonly atMs: number;
  readonly correlation: string;
  readonly traceparent?: string;
  readonly malformed?: string;
  readonly key?: string;
  readonly producer?: string;
  readonly causation?: string;
}

/** The input that a parked row was, to be handled again; with another body when an operator has edited it. */
export function parkedInput(row: ParkedInput, body: Body = row.body): Input {
  const headers = JSON.parse(row.headers) as ParkedHeaders;
  const origin = JSON.parse(row.origin) as { topic?: string; partition: number; offset?: number };
  return {
    ...blank,
    kind: row.kind,
    id: row.id,
    type: row.type,
    schema: headers.schema,
    subject: headers.subject,
    atMs: headers.atMs,
    topic: origin.topic,
    partition: origin.partition,
    offset: origin.offset,
    correlation: headers.correlation,
    traceparent: headers.traceparent,
    malformed: headers.malformed,
    body,
    parked: { partition: row.partition, key: row.key, seq: row.seq },
  };
}
