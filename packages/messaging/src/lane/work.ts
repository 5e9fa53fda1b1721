import type { OutgoingMessage } from "../store.ts";
import type {
  Batch,
  EffectKey,
  EffectRow,
  LaneId,
  LaneRow,
  ParkedInput,
  ParkedKey,
  SeenRow,
  SentRow,
  TimerRow,
} from "../store.ts";
import type { Stamp, StoredMessage } from "../message.ts";
import type { Entry } from "./cache.ts";
import type { Draft, DraftMessage } from "./draft.ts";
import type { Input } from "./input.ts";
import type { Parking } from "./parking.ts";
import type { Track } from "./track.ts";

/** What outlives a batch and every batch draws from: the count of numbers, and what was last sent where. */
export interface Sequence {
  source: string;
  nextN: number;
  /** By `topic/partition`. */
  readonly lastN: Map<string, number>;
  /** What a former life of this lane has already said on the logs, as `saidAs` names it; it is not said again. */
  readonly alreadySaid: Set<string>;
}

/** What makes a message the same when an input is handled a second time. Another outcome of it has another type, and is said. */
export function saidAs({ type, id }: { readonly type: string; readonly id: string }): string {
  return `${type}\n${id}`;
}

/** The count where a lane's row left it. */
export function sequenceOf({ source, nextN }: LaneRow, alreadySaid: ReadonlySet<string>): Sequence {
  return { source, nextN, lastN: new Map(), alreadySaid: new Set(alreadySaid) };
}

/** All that a batch changes, folded so that no row is named twice. */
export class Work {
  readonly #sequence: Sequence;
  readonly #firstN: number;
  /** The store's clock when the batch began: what its messages carry as the time of their publication. */
  readonly publishAtMs: number;
  readonly #service: string;
  readonly #states = new Map<Entry, number>();
  readonly #tracks: Set<Track>;
  readonly #timers = new Map<
    string,
    { key: TimerRow | { partition: number; key: string; name: string }; set: boolean }
  >();
  readonly messages: OutgoingMessage[] = [];
  readonly effectsAdded: EffectRow[] = [];
  readonly effectsDone: EffectKey[] = [];
  readonly parkedAdded: ParkedInput[] = [];
  readonly parkedRemoved: Pick<ParkedInput, "partition" | "key" | "seq">[] = [];
  readonly parkedKeys = new Map<string, ParkedKey>();
  readonly keysReleased = new Map<string, Pick<ParkedKey, "partition" | "key">>();
  readonly seen: SeenRow[] = [];
  /** Parked keys with an input that was tried and stays, by the topics of those that only wait; undefined: it failed. */
  readonly #stuck = new Map<string, Set<string> | undefined>();
  inputs = 0;
  passedOn = 0;
  /** By how much states have grown, as JSON. */
  grownBytes = 0;
  /** The earliest timer set in this batch. */
  earliestTimerMs = Infinity;

  /** @param passed positions that batches before this one left to be written. */
  constructor(service: string, sequence: Sequence, publishAtMs: number, passed: Set<Track> = new Set()) {
    this.#service = service;
    this.#tracks = passed;
    this.#sequence = sequence;
    this.#firstN = sequence.nextN;
    this.publishAtMs = publishAtMs;
  }

  takeNumber(): number {
    return this.#sequence.nextN++;
  }

  moved(track: Track): void {
    this.#tracks.add(track);
  }

  /** Notes that an input of a parked key stays where it is. `topic` is where it came from if it only waits. */
  stick(key: string, topic: string | undefined): void {
    const before = this.#stuck.get(key);
    if (topic === undefined || (this.#stuck.has(key) && before === undefined)) this.#stuck.set(key, undefined);
    else this.#stuck.set(key, (before ?? new Set()).add(topic));
  }

  /**
   * Whether a parked input must stay behind one that stays. What only waits is waiting for something: that may come from
   * another topic, or from outside, and has then queued behind it. A timer never passes, nor does what failed let pass.
   */
  isStuck(key: string, { kind, topic }: Input): boolean {
    if (!this.#stuck.has(key)) return false;
    const waiting = this.#stuck.get(key);
    if (waiting === undefined || kind === "timer") return true;
    return topic !== undefined && waiting.has(topic);
  }

  /** Uses up what the input stood in: its timer, its effect, its place in a parked queue. */
  consume(input: Input): void {
    this.inputs += 1;
    if (input.timer !== undefined) this.#timers.set(timerText(input.timer), { key: input.timer, set: false });
    if (input.effect !== undefined) this.effectsDone.push(input.effect);
    if (input.parked !== undefined) this.parkedRemoved.push(input.parked);
  }

  /** Whether this batch has cleared or replaced the timer that is about to fire. */
  touched(input: Input): boolean {
    return input.timer !== undefined && this.#timers.has(timerText(input.timer));
  }

  /** Takes over what a handler that has returned wants done. */
  merge(input: Input, draft: Draft): void {
    for (const { entry, value } of draft.saves) {
      if (!this.#states.has(entry)) this.#states.set(entry, entry.version);
      if (entry.home < 0) entry.home = input.partition;
      entry.value = value;
    }
    for (const message of draft.messages) this.#send(input, message);
    for (const { of, id, input: text } of draft.effects) {
      this.effectsAdded.push({
        partition: input.partition,
        key: input.subject,
        queue: of.queue,
        seq: this.takeNumber(),
        id,
        name: of.name,
        schema: of.version,
        input: text,
        attempts: 0,
        dueMs: this.publishAtMs,
        correlation: input.correlation,
        causation: input.id,
        traceparent: input.traceparent,
      });
    }
    for (const timer of draft.timers) {
      const key = { partition: input.partition, key: input.subject, name: timer.of.name };
      if (timer.dueMs === undefined) {
        this.#timers.set(timerText(key), { key, set: false });
        continue;
      }
      this.earliestTimerMs = Math.min(this.earliestTimerMs, timer.dueMs);
      const row = {
        ...key,
        dueMs: timer.dueMs,
        schema: timer.of.version,
        body: timer.body,
        correlation: input.correlation,
        causation: input.id,
      };
      this.#timers.set(timerText(key), { key: row, set: true });
    }
  }

  #send(input: Input, message: DraftMessage): void {
    const { alreadySaid } = this.#sequence;
    if (alreadySaid.size > 0 && alreadySaid.delete(saidAs(message))) return;
    this.messages.push({
      topic: message.topic,
      partition: message.partition,
      stamp: this.#stamp(message.topic, message.partition),
      id: message.id,
      type: message.type,
      schema: message.of.version,
      subject: message.subject,
      key: message.key,
      producer: this.#service,
      atMs: message.atMs,
      correlation: input.correlation,
      causation: input.id,
      traceparent: input.traceparent,
      body: message.body,
      value: message.value,
    });
  }

  /** Sends a door's message on to the partition where its key belongs. */
  passOn(message: StoredMessage, partition: number): void {
    this.passedOn += 1;
    const { offset: _offset, malformed: _malformed, ...envelope } = message;
    this.messages.push({ ...envelope, partition, stamp: this.#stamp(message.topic, partition) });
  }

  /** The next number of this lane, and the one before it to the same destination. */
  #stamp(topic: string, partition: number): Stamp {
    const { source, lastN } = this.#sequence;
    const destination = `${topic}/${partition}`;
    const n = this.takeNumber();
    const prev = lastN.get(destination) ?? 0;
    lastN.set(destination, n);
    return { source, n, prev };
  }

  /** Drops one input of a parked key; the key is free when it was the last. */
  discard(parking: Parking, parked: ParkedKey, seq: number): void {
    const { partition, key } = parked;
    this.parkedRemoved.push({ partition, key, seq });
    this.inputs += 1;
    if (parking.remove(key) > 0) return;
    parking.release(key);
    this.keysReleased.set(key, { partition, key });
  }

  /** The batch as the store takes it. Raises the versions of the states that it writes. */
  batch(
    id: LaneId,
    fence: { epoch: number; batch: number; timeMs: number; level: number },
    owed: { sent: readonly SentRow[]; retried: readonly EffectRow[] },
  ): Batch {
    const timers = [...this.#timers.values()];
    return {
      ...id,
      ...fence,
      count: this.#sequence.nextN - this.#firstN,
      inputs: this.inputs,
      positions: Array.from(this.#tracks, (track) => track.row()),
      states: this.#stateWrites(),
      messages: this.messages,
      sent: owed.sent,
      timers: {
        set: timers.filter((timer) => timer.set).map((timer) => timer.key as TimerRow),
        cleared: timers.filter((timer) => !timer.set).map((timer) => timer.key),
      },
      effects: { added: this.effectsAdded, done: this.effectsDone, retried: owed.retried },
      parked: {
        added: this.parkedAdded,
        removed: this.parkedRemoved,
        keys: [...this.parkedKeys.values()],
        released: [...this.keysReleased.values()],
      },
      seen: this.seen,
    };
  }

  #stateWrites(): Batch["states"] {
    const writes: Batch["states"][number][] = [];
    for (const [entry, before] of this.#states) {
      const { ref, value, home } = entry;
      if (value === undefined && before === 0) continue;
      const body = value === undefined ? undefined : JSON.stringify(value);
      entry.version = body === undefined ? 0 : before + 1;
      const bytes = body?.length ?? 0;
      this.grownBytes += bytes - entry.bytes;
      entry.bytes = bytes;
      writes.push({ kind: ref.of.kind, id: ref.id, home, version: before + 1, schema: ref.of.version, body });
      if (body === undefined) entry.home = -1;
    }
    return writes;
  }

  /** Whether nothing but positions moved: every message was another service's, or a repeat. */
  get onlyPassed(): boolean {
    const rows = this.messages.length + this.seen.length + this.parkedAdded.length;
    return this.inputs + rows + this.parkedKeys.size + this.keysReleased.size === 0 && this.#tracks.size > 0;
  }

  /** Whether there is anything to commit. */
  get empty(): boolean {
    return this.inputs === 0 && this.#tracks.size === 0 && this.parkedKeys.size === 0 && this.keysReleased.size === 0;
  }
}

function timerText(key: { readonly partition: number; readonly key: string; readonly name: string }): string {
  return `${key.partition}/${key.key}/${key.name}`;
}
