import type {
  EffectKey,
  EffectRow,
  LaneRow,
  OutgoingMessage,
  ParkedInput,
  ParkedKey,
  PositionRow,
  SeenRow,
  SentRow,
  StateWrite,
  StoredMessage,
  TimerKey,
  TimerRow,
  TopicPartition,
} from "@waybill/messaging";
import { ByState } from "./by-state.ts";
import { Fold } from "./fold.ts";
import { sizeOf } from "./records.ts";
import type { Job } from "./job.ts";
import type { Cell, WriteName } from "./tables.ts";
import type { Segment, TopicLog } from "./topic-log.ts";

export type OutboxKey = TopicPartition & { readonly lane: number; readonly n: number };
export type OutboxRow = OutboxKey & { readonly message: OutgoingMessage };
export type SentKey = TopicPartition & { readonly lane: number };
export type SeenKey = Pick<SeenRow, "source" | "id">;
export type ParkedInputKey = Pick<ParkedInput, "partition" | "key" | "seq">;
export type ParkedKeyKey = Pick<ParkedKey, "partition" | "key">;

/** A lane's row, and how many lanes its service has. */
export interface StoredLane {
  readonly row: LaneRow;
  readonly lanes: number;
}

/** The last write of a state in a wave, and the version that the file must hold before it (0: none). */
export interface StateChange {
  write: StateWrite;
  readonly base: number;
}

/** Everything that one transaction will write: the changes of many batches, each row once. */
export class Wave {
  readonly jobs: Job[] = [];
  /** Inputs and appended messages in it. */
  inputs = 0;
  /** About how much memory its messages and states take. */
  bytes = 0;
  /** When its first job came, on the monotonic clock. */
  sinceMs = 0;

  readonly lanes = new Map<string, StoredLane>();
  readonly states = new ByState<StateChange>();
  readonly positions = new Fold<TopicPartition, PositionRow>();
  readonly sent = new Fold<SentKey, SentRow & SentKey>();
  readonly outbox = new Fold<OutboxKey, OutboxRow>();
  readonly timers = new Fold<TimerKey, TimerRow>();
  readonly effects = new Fold<EffectKey, EffectRow>();
  /** The effects that were added, by service and chain, in order. */
  readonly chains = new Map<string, EffectKey[]>();
  readonly parked = new Fold<ParkedInputKey, ParkedInput>();
  readonly parkedKeys = new Fold<ParkedKeyKey, ParkedKey>();
  readonly seen = new Fold<SeenKey, SeenRow>();
  /** What each topic got, in order of offset; a topic has several only when its offsets have a hole. */
  readonly segments: Segment[] = [];
  /** Topics whose row changed. */
  readonly topics = new Set<TopicLog>();
  /** Writes that are not of single rows: deletions of ranges, registrations. */
  readonly extra: { readonly write: WriteName; readonly cells: Cell[] }[] = [];

  get empty(): boolean {
    return this.jobs.length === 0;
  }

  /** Puts a message that has its offset already behind those of its topic. */
  append(topic: TopicLog, message: StoredMessage): void {
    const bytes = sizeOf(message);
    this.bytes += bytes;
    topic.bytes += bytes;
    const last = topic.openSegment;
    if (last !== undefined && last.wave === this && last.first + last.messages.length === message.offset) {
      last.messages.push(message);
      last.bytes += bytes;
      return;
    }
    const segment: Segment = { wave: this, topic, first: message.offset, messages: [message], bytes };
    topic.openSegment = segment;
    this.segments.push(segment);
    this.topics.add(topic);
  }

  addEffect(service: string, row: EffectRow): void {
    this.effects.add(service, effectName(row), row);
    const name = chainName(service, row);
    const chain = this.chains.get(name);
    if (chain === undefined) this.chains.set(name, [row]);
    else chain.push(row);
  }

  writeState(service: string, write: StateWrite): void {
    const change = this.states.get(service, write);
    if (change === undefined) this.states.set(service, write, { write, base: write.version - 1 });
    else change.write = write;
    this.bytes += write.body?.length ?? 0;
  }
}

/** A lane's name among all lanes. */
export function laneName(id: { readonly service: string; readonly lane: number }): string {
  return `${id.service}\n${id.lane}`;
}

// Names of rows within their service. No key holds a control character, so a line feed cannot be part of one.

export function positionName(key: TopicPartition): string {
  return `${key.topic}\n${key.partition}`;
}

export function sentName(key: SentKey): string {
  return `${key.lane}\n${key.topic}\n${key.partition}`;
}

export function outboxName(key: OutboxKey): string {
  return `${key.lane}\n${key.topic}\n${key.partition}\n${key.n}`;
}

export function timerName(key: TimerKey): string {
  return `${key.partition}\n${key.key}\n${key.name}`;
}

export function effectName(key: EffectKey): string {
  return `${key.partition}\n${key.key}\n${key.queue}\n${key.seq}`;
}

/** Names the effects that run one after the other: those of one entity and queue. */
export function chainName(service: string, { partition, key, queue }: Omit<EffectKey, "seq">): string {
  return `${service}\n${partition}\n${key}\n${queue}`;
}

export function parkedName(key: ParkedInputKey): string {
  return `${key.partition}\n${key.key}\n${key.seq}`;
}

export function parkedKeyName(key: ParkedKeyKey): string {
  return `${key.partition}\n${key.key}`;
}

export function seenName(key: SeenKey): string {
  return `${key.source}\n${key.id}`;
}
