import { WaybillError, type Batch, type Commit, type StoredMessage } from "@waybill/messaging";
import type { FileLog } from "./file-log.ts";
import type { Job } from "./job.ts";
import type { Lanes } from "./lanes.ts";
import { stored } from "./records.ts";
import type { TopicLog } from "./topic-log.ts";
import * as names from "./wave.ts";
import type { Versions } from "./versions.ts";
import type { StoredLane, Wave } from "./wave.ts";

const already: Promise<void> = Promise.resolve();

/** What a batch is checked against, and where its messages go. */
export interface CommitTo {
  readonly lanes: Lanes;
  readonly log: FileLog;
  readonly versions: Versions;
}

/** One batch of a lane on its way into a wave. */
export class CommitJob implements Job {
  readonly #batch: Batch;
  readonly #to: CommitTo;
  readonly #durable = Promise.withResolvers<void>();
  /** Made only when the batch has to wait; most do not. */
  #applied: PromiseWithResolvers<void> | undefined;
  #isApplied = false;
  #lane: StoredLane | undefined;
  /** Messages to topics of this file, with their offsets. */
  readonly #appended: { readonly topic: TopicLog; readonly message: StoredMessage }[] = [];

  constructor(batch: Batch, to: CommitTo) {
    this.#batch = batch;
    this.#to = to;
    // A caller that waits for one of the two promises only must not end the process by the other.
    this.#durable.promise.catch(() => {});
  }

  get inputs(): number {
    return this.#batch.inputs;
  }

  /** To be called after the job was submitted. */
  get commit(): Commit {
    if (this.#isApplied) return { applied: already, durable: this.#durable.promise };
    this.#applied ??= Promise.withResolvers();
    const applied = Promise.race([this.#applied.promise, this.#durable.promise]);
    applied.catch(() => {});
    return { applied, durable: this.#durable.promise };
  }

  enter(): boolean {
    const { lanes } = this.#to;
    const batch = this.#batch;
    const { row, lanes: count } = lanes.fence(batch, batch.epoch, batch.batch);
    this.#checkStates();
    this.#checkMessages();
    this.#lane = {
      lanes: count,
      row: {
        ...row,
        batch: row.batch + 1,
        nextN: row.nextN + batch.count,
        timeMs: Math.max(row.timeMs, batch.timeMs),
        level: Math.max(row.level, batch.level),
        tries: 0,
        suspect: undefined,
      },
    };
    lanes.put(this.#lane);
    this.#learnStates();
    this.#takeOffsets();
    return true;
  }

  #checkStates(): void {
    const { service, states } = this.#batch;
    const { versions } = this.#to;
    for (const state of states) {
      const version = versions.of(service, state);
      if (state.version === version + 1) continue;
      const text = `State ${state.kind} "${state.id}" of ${service} is at version ${version}; this batch writes version ${state.version}.`;
      throw new WaybillError("STATE_CONFLICT", text, { details: { service, kind: state.kind, version } });
    }
  }

  #learnStates(): void {
    const { service, states } = this.#batch;
    for (const state of states) {
      this.#to.versions.learn(service, state, state.body === undefined ? 0 : state.version);
    }
  }

  #checkMessages(): void {
    for (const { topic, partition, type } of this.#batch.messages) {
      const hosted = this.#to.log.topics.get(topic);
      if (hosted === undefined || partition < hosted.spec.partitions) continue;
      const text = `Topic "${topic}" has ${hosted.spec.partitions} partitions; ${type} is for number ${partition}.`;
      throw new WaybillError("BATCH_REFUSED", text, { details: { topic, partition } });
    }
  }

  #takeOffsets(): void {
    for (const message of this.#batch.messages) {
      const topic = this.#to.log.topics.get(message.topic);
      if (topic === undefined) continue;
      const offset = topic.nextOffset++;
      topic.ends[message.partition] = offset + 1;
      this.#appended.push({ topic, message: stored(message, message.topic, message.partition, offset) });
    }
  }

  write(wave: Wave): void {
    const batch = this.#batch;
    const { service } = batch;
    wave.lanes.set(names.laneName(batch), this.#lane!);
    for (const state of batch.states) wave.writeState(service, state);
    for (const row of batch.positions) wave.positions.set(service, names.positionName(row), row);
    for (const { topic, message } of this.#appended) wave.append(topic, message);
    if (this.#appended.length < batch.messages.length) fillOutbox(wave, batch, this.#to.log);
    for (const row of batch.sent)
      wave.sent.set(service, names.sentName({ ...row, lane: batch.lane }), { ...row, lane: batch.lane });
    for (const row of batch.timers.set) wave.timers.set(service, names.timerName(row), row);
    for (const key of batch.timers.cleared) wave.timers.delete(service, names.timerName(key), key);
    fillEffects(wave, batch);
    fillParked(wave, batch);
    for (const row of batch.seen) wave.seen.set(service, names.seenName(row), row);
  }

  applied(): void {
    this.#isApplied = true;
    this.#applied?.resolve();
    const woken = new Set<TopicLog>();
    for (const { topic } of this.#appended) woken.add(topic);
    for (const topic of woken) this.#to.log.wake(topic);
  }

  durable(): void {
    this.#durable.resolve();
  }

  failed(error: Error): void {
    this.#durable.reject(error);
  }
}

function fillOutbox(wave: Wave, batch: Batch, log: FileLog): void {
  for (const message of batch.messages) {
    if (log.topics.has(message.topic)) continue;
    const { topic, partition } = message;
    const row = { topic, partition, lane: batch.lane, n: message.stamp.n, message };
    wave.outbox.add(batch.service, names.outboxName(row), row);
  }
}

function fillEffects(wave: Wave, { service, effects }: Batch): void {
  for (const row of effects.added) wave.addEffect(service, row);
  for (const row of effects.retried) wave.effects.set(service, names.effectName(row), row);
  for (const key of effects.done) wave.effects.delete(service, names.effectName(key), key);
}

function fillParked(wave: Wave, { service, parked }: Batch): void {
  for (const row of parked.added) wave.parked.add(service, names.parkedName(row), row);
  for (const key of parked.removed) wave.parked.delete(service, names.parkedName(key), key);
  for (const row of parked.keys) wave.parkedKeys.set(service, names.parkedKeyName(row), row);
  for (const key of parked.released) wave.parkedKeys.delete(service, names.parkedKeyName(key), key);
}
