import { codeOf, messageOf, WaybillError } from "../errors.ts";
import type { Batch, EffectRow, LaneId, SentRow, Store } from "../store.ts";
import { Alarm } from "./alarm.ts";
import { Between } from "./between.ts";
import { StateCache } from "./cache.ts";
import { EffectsRunner } from "./effects-runner.ts";
import { Care } from "./care.ts";
import { cautionAfter, endOf, type Caution, type LaneEnd } from "./end.ts";
import type { LaneLife } from "./hosted.ts";
import { Inbox } from "./inbox.ts";
import { messageInput } from "./input.ts";
import { idsOf, Intake, type Gathered } from "./intake.ts";
import type { LaneOptions } from "./lane-options.ts";
import { OutboxTrim } from "./outbox-trim.ts";
import { Parking } from "./parking.ts";
import { concerns, run, type Bench } from "./run.ts";
import { gapIn, seekMissing, type Gap } from "./seek.ts";
import { sweepSeen } from "./seen-sweep.ts";
import { Progress } from "./progress.ts";
import { lastStored } from "./resume.ts";
import { Sender } from "./sender.ts";
import { statusOf, type LaneStatus } from "./status.ts";
import type { Track } from "./track.ts";
import { Tracks } from "./tracks.ts";
import { Bell, deferred } from "./wake.ts";
import { sequenceOf, Work, type Sequence } from "./work.ts";

/** After this many batches, positions that moved without a message are written too. */
const movedEveryBatches = 64;

/** One life of a lane: from its claim until it is given back, lost, or forgets everything and starts again. */
export class Lane implements LaneLife {
  readonly id: LaneId;
  readonly #options: LaneOptions;
  readonly #store: Store;
  readonly #bell = new Bell();
  readonly #ended = deferred<LaneEnd>();
  readonly #stop = new AbortController();
  readonly #inbox: Inbox;
  readonly #sender: Sender;
  readonly #effects: EffectsRunner;
  readonly #bench: Bench;
  readonly #parking: Parking;
  readonly #tracks: Tracks;
  readonly #sequence: Sequence;
  readonly #intake: Intake;
  readonly #trim: OutboxTrim;
  readonly #between: Between;
  readonly #alarm: Alarm;
  /** Tracks that moved and are not written yet. */
  #passed = new Set<Track>();
  readonly #care: Care;
  readonly #progress: Progress;
  readonly #seeking: Promise<void>[] = [];
  #batch: number;
  #timeMs: number;
  #sinceMoved = 0;
  #end: LaneEnd | undefined;
  #undurable = 0;
  readonly counts = { batches: 0, inputs: 0, messages: 0, parked: 0, passedOn: 0 };

  constructor(options: LaneOptions) {
    const { id, row, recovered, store, world, limits } = options;
    this.id = id;
    this.#options = options;
    this.#store = store;
    this.#batch = row.batch;
    this.#timeMs = row.timeMs;
    this.#sequence = sequenceOf(row, options.alreadySaid);
    this.#tracks = new Tracks(options.positions);
    this.#between = new Between(id);
    this.#progress = new Progress(id.service, this.#tracks, options.transportOf);
    this.#care = new Care(options);
    this.#alarm = new Alarm(world, this.#bell, () => store.nowMs(), this.#stop.signal);
    this.#parking = new Parking(limits.parking, options.build, recovered.parkedKeys);
    this.#inbox = new Inbox({
      limits: limits.inbox,
      bell: this.#bell,
      world,
      nowMs: () => store.nowMs(),
      onFailed: (error) => this.#fail(error),
    });
    this.#intake = new Intake({
      id,
      store,
      inbox: this.#inbox,
      parking: this.#parking,
      nextTimerMs: recovered.nextTimerMs,
    });
    this.#trim = new OutboxTrim(id, store, limits.outboxGraceMs);
    this.#sender = new Sender({
      id,
      store,
      world,
      limits: limits.sender,
      transportOf: options.transportOf,
      onConfirmed: () => this.#alarm.owe(),
    });
    this.#effects = new EffectsRunner({
      id,
      firstSeq: row.nextN,
      store,
      world,
      bound: options.effects,
      onResult: (effect, input, outcome) => {
        this.#intake.addResult(effect, input, outcome);
        this.#bell.ring();
      },
      onOwed: () => this.#alarm.owe(),
    });
    this.#bench = {
      id,
      store,
      routes: options.routes,
      cache: new StateCache(id, limits),
      parking: this.#parking,
      partitions: options.partitions,
      freeze: options.freeze,
      turn: () => world.turn(),
      suspects: new Map(options.caution?.suspects),
      track: (topic, partition) => this.#tracks.get(topic, partition),
      block: (topic, error) => this.#block(topic, error),
    };
  }

  get ended(): Promise<LaneEnd> {
    return this.#ended.promise;
  }

  /** Begins to run. `sent` is how far each destination's messages are on the logs. */
  start(sent: ReadonlyMap<string, SentRow>, blocked: ReadonlyMap<string, WaybillError>): void {
    const { recovered, hasNewSource } = this.#options;
    // A log that is ahead of its database holds numbers which are given again, under another source.
    if (!hasNewSource) for (const [name, n] of lastStored(recovered)) this.#sequence.lastN.set(name, n);
    this.#sender.resume(recovered.outbox, sent);
    const byTransport = Map.groupBy(this.#tracks.all(), (track) => this.#options.transportOf(track.topic));
    for (const [transport, tracks] of byTransport) {
      const rows = tracks.map((track) => track.row());
      this.#inbox.open(transport, rows, blocked);
    }
    for (const [topic, error] of blocked) this.#block(topic, error);
    this.#effects.start();
    void this.#run();
  }

  async #run(): Promise<void> {
    const { routes, world } = this.#options;
    const sweeping = sweepSeen(this.id, routes, this.#store, world, this.#stop.signal);
    try {
      while (this.#end === undefined) {
        await this.#between.turn();
        const nowMs = this.#store.nowMs();
        this.#timeMs = Math.max(this.#timeMs, this.#inbox.timeMs(nowMs));
        const { batchBytes } = this.#options.limits;
        const most = this.#care.batchInputs(this.counts.inputs);
        const gathered = await this.#intake.gather(most, batchBytes, this.#timeMs, nowMs);
        const empty = gathered.inputs.length + gathered.messages.length === 0;
        if (empty && !this.#alarm.isOverdue(nowMs)) {
          this.#alarm.set(nowMs, this.#intake.nextDueMs(nowMs));
          await this.#bell.wait();
        } else if (!empty && this.#care.isAlone(this.counts.inputs)) await this.#handleAlone(gathered);
        else await this.#handle(gathered, empty);
        // Whoever came meanwhile is heard before the next batch.
        await world.turn();
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#stop.abort();
    await sweeping;
    await this.#shutDown();
  }

  get named(): string | undefined {
    return this.#care.named;
  }

  get epoch(): number {
    return this.#options.row.epoch;
  }

  get durableBatch(): number {
    return this.#batch - this.#undurable;
  }

  async #handleAlone(gathered: Gathered): Promise<void> {
    await this.#options.alone(async () => {
      if (this.#end !== undefined) return;
      await this.#care.name(idsOf(gathered)[0]!);
      await this.#handle(gathered, false);
    });
  }

  async #handle(gathered: Gathered, empty: boolean): Promise<void> {
    // Told anew: what a batch says carries a time that is not before that of what it holds.
    const nowMs = this.#store.nowMs();
    const work = new Work(this.id.service, this.#sequence, nowMs, this.#passed);
    this.#timeMs = await run(this.#bench, gathered, work, this.#timeMs, this.#inbox.timeMs(nowMs));
    this.#applyMoved(work, empty);
    // Messages that were only passed by are read again after a crash, at no harm; their positions wait for a commit.
    if (!empty && work.onlyPassed && !this.#alarm.isOverdue(nowMs)) return this.#alarm.owe();
    this.#passed = new Set();
    const sent = this.#sender.takeConfirmed();
    const retried = this.#effects.takeRetried();
    this.#alarm.paid();
    if (work.empty && sent.length === 0 && retried.length === 0) return;
    const batch = this.#written(gathered, () => work.batch(this.id, this.#fence(), { sent, retried }));
    const commit = this.#store.commit(batch);
    this.#batch += 1;
    this.#undurable += 1;
    commit.durable.then(
      () => this.#onDurable(work, sent, retried),
      (error: unknown) => {
        this.#undurable -= 1;
        this.#failBatch(error, gathered);
      },
    );
    await commit.applied.catch((error: unknown) => {
      this.#failBatch(error, gathered);
      throw error;
    });
    this.#intake.timerSet(work.earliestTimerMs);
    this.#bench.cache.age(work.grownBytes);
    this.counts.batches += 1;
    this.counts.inputs += work.inputs;
    this.counts.messages += work.messages.length;
    this.counts.passedOn += work.passedOn;
    this.counts.parked += work.parkedAdded.length;
  }

  #fence() {
    const { level } = this.#options.routes.service;
    return { epoch: this.epoch, batch: this.#batch, timeMs: this.#timeMs, level };
  }

  /** Writes positions that moved without a message: now and then, and when nothing else is to do. */
  #applyMoved(work: Work, idle: boolean): void {
    this.#sinceMoved += 1;
    if (!idle && this.#sinceMoved < movedEveryBatches) return;
    this.#sinceMoved = 0;
    this.#tracks.move(this.#inbox.moved(), work);
  }

  #onDurable(work: Work, sent: readonly SentRow[], retried: readonly EffectRow[]): void {
    this.#undurable -= 1;
    if (this.#end !== undefined) return this.#bell.ring();
    const outgoing = work.messages.filter((message) => !this.#store.hosts(message.topic));
    if (outgoing.length > 0) this.#sender.add(outgoing);
    if (work.effectsAdded.length > 0) this.#effects.added(work.effectsAdded);
    if (work.effectsDone.length > 0) this.#effects.finished(work.effectsDone);
    this.#effects.wrote(retried);
    this.#progress.show(this.#store.nowMs());
    if (sent.length > 0) {
      this.#trim.confirmed(sent, this.#store.nowMs()).catch((error: unknown) => this.#fail(error));
    }
    this.#alarm.owe();
  }

  #block(topic: string, error: WaybillError): void {
    this.#inbox.block(topic, error);
    this.#options.world.log("error", "A lane reads no further in a topic.", {
      ...this.id,
      topic,
      code: error.code,
      error: error.message,
    });
    const gap = gapIn(error);
    if (gap !== undefined) this.#seeking.push(this.#seek(gap).catch((failed: unknown) => this.#fail(failed)));
  }

  /** Takes what a gap misses as soon as it is said again further on, and then begins at the gap once more. */
  async #seek(gap: Gap): Promise<void> {
    const track = this.#tracks.get(gap.topic, gap.partition);
    const transport = this.#options.transportOf(gap.topic);
    const found = await seekMissing(gap, track.row(), transport, this.#options.world, this.#stop.signal);
    if (found === undefined || this.#end !== undefined) return;
    await this.#ask(async () => {
      const nowMs = this.#store.nowMs();
      const work = new Work(this.id.service, this.#sequence, nowMs);
      for (const { stamp } of found) track.tookAhead(stamp!);
      work.moved(track);
      const inputs = found.filter((message) => concerns(this.#bench, message)).map(messageInput);
      this.#timeMs = await run(this.#bench, { inputs, messages: [] }, work, this.#timeMs, this.#inbox.timeMs(nowMs));
      await this.#commitAlone(work);
    });
    this.#fail(new WaybillError("GAP", `What ${gap.topic}/${gap.partition} was missing is found further on.`));
  }

  /** A state that cannot be written as JSON is as much one input's fault as one that the database refuses. */
  #written(gathered: Gathered, write: () => Batch): Batch {
    try {
      return write();
    } catch (cause) {
      const error = new WaybillError("BATCH_REFUSED", `A state cannot be written as JSON: ${messageOf(cause)}`, {
        cause,
      });
      this.#failBatch(error, gathered);
      throw error;
    }
  }

  #failBatch(error: unknown, gathered: Gathered): void {
    const refused = codeOf(error) === "BATCH_REFUSED";
    this.#fail(error, refused ? cautionAfter(idsOf(gathered), error as WaybillError) : undefined);
  }

  #fail(error: unknown, caution?: Caution): void {
    this.#finish(endOf(error, caution));
  }

  #finish(end: LaneEnd): void {
    this.#end ??= end;
    this.#bell.ring();
  }

  close(): void {
    this.#finish({ kind: "closed" });
  }

  lose(why: string): void {
    this.#fail(new WaybillError("NOT_OWNER", `Lane ${this.id.lane} of ${this.id.service}: ${why}`));
  }

  async #shutDown(): Promise<void> {
    await this.#between.turn();
    await Promise.all([this.#inbox.close(), ...this.#seeking]);
    if (this.#end?.kind === "closed")
      while (this.#undurable > 0 && this.#end.kind === "closed") await this.#bell.wait();
    await this.#effects.close();
    await this.#sender.close();
    await this.#between.turn();
    this.#ended.resolve(this.#end!);
  }

  /** Does something between two batches. Rejects with NOT_OWNER when the lane has ended. */
  #ask<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#between.ask(act, () => this.#end !== undefined);
    if (this.#end !== undefined) void this.#between.turn();
    this.#bell.ring();
    return done;
  }

  /** Tries a parked key again, the first of its inputs with another body if one is given. False: it is not parked here. */
  redrive(key: string, body?: string): Promise<boolean> {
    return this.#ask(async () => {
      if (this.#parking.get(key) === undefined) return false;
      this.#intake.redrive(key, body);
      return true;
    });
  }

  /** Gives up one input of a parked key for good. False when it is not there. */
  discard(key: string, seq: number): Promise<boolean> {
    return this.#ask(async () => {
      const parked = this.#parking.get(key);
      if (parked === undefined) return false;
      const rows = await this.#store.parked(this.id.service, parked.partition, key, 0, 2_048);
      if (!rows.some((row) => row.seq === seq)) return false;
      this.#parking.count(key, rows.length);
      const work = new Work(this.id.service, this.#sequence, this.#store.nowMs());
      work.discard(this.#parking, parked, seq);
      await this.#commitAlone(work);
      return true;
    });
  }

  /** A person's decision to go on in a topic without what is missing from it. The lane starts again. */
  acceptLoss(topic: string): Promise<boolean> {
    return this.#ask(async () => {
      const blocked = this.#inbox.blocked.find((one) => one.topic === topic);
      if (blocked === undefined) return false;
      const work = new Work(this.id.service, this.#sequence, this.#store.nowMs());
      this.#tracks.skipLoss(topic, await this.#options.transportOf(topic).bounds(topic), work);
      await this.#commitAlone(work);
      this.#finish({ kind: "reset", error: blocked.error, caution: undefined });
      return true;
    });
  }

  async #commitAlone(work: Work): Promise<void> {
    const commit = this.#store.commit(work.batch(this.id, this.#fence(), { sent: [], retried: [] }));
    this.#batch += 1;
    this.#undurable += 1;
    commit.applied.catch(() => {});
    await commit.durable.finally(() => (this.#undurable -= 1));
  }

  status(): LaneStatus {
    return statusOf(this.id, this.epoch, this.#timeMs, {
      tracks: this.#tracks,
      inbox: this.#inbox,
      parking: this.#parking,
      effects: this.#effects,
      sender: this.#sender,
      counts: this.counts,
    });
  }
}
