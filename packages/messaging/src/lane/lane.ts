import { codeOf, messageOf, WaybillError } from "../errors.ts";
import type { Batch, EffectRow, LaneId, LaneRow, PositionRow, Recovered, SentRow, Store } from "../store.ts";
import type { Transport } from "../transport.ts";
import type { World } from "../world.ts";
import { StateCache } from "./cache.ts";
import type { BoundEffect } from "./bind-effects.ts";
import { EffectsRunner } from "./effects-runner.ts";
import { cautionAfter, endOf, type Caution, type LaneEnd } from "./end.ts";
import { Inbox } from "./inbox.ts";
import { Intake, type Gathered } from "./intake.ts";
import type { LaneLimits } from "./limits.ts";
import { OutboxTrim } from "./outbox-trim.ts";
import { Parking } from "./parking.ts";
import type { Routes } from "./routes.ts";
import { run, type Bench } from "./run.ts";
import { Sender } from "./sender.ts";
import { Track } from "./track.ts";
import { Bell, deferred } from "./wake.ts";
import { Work, type Sequence } from "./work.ts";

export interface LaneOptions {
  readonly id: LaneId;
  readonly row: LaneRow;
  readonly recovered: Recovered;
  readonly positions: readonly PositionRow[];
  readonly alreadySaid: ReadonlySet<string>;
  /** The lane goes on under another source than the one that its outbox is stamped with. */
  readonly hasNewSource: boolean;
  readonly store: Store;
  readonly world: World;
  readonly routes: Routes;
  readonly effects: ReadonlyMap<string, BoundEffect>;
  readonly transportOf: (topic: string) => Transport;
  readonly partitions: number;
  readonly build: string;
  readonly limits: LaneLimits;
  readonly freeze: boolean;
  readonly caution: Caution | undefined;
  /** Runs one thing at a time in the whole process, so that what kills it has one name. */
  readonly alone: (work: () => Promise<void>) => Promise<void>;
}

/** How often a lane that has nothing else to write writes what it owes, in milliseconds. */
const oweMsMax = 1_000;
/** After this many batches, positions that moved without a message are written too. */
const movedEveryBatches = 64;

/** One life of a lane: from its claim until it is given back, lost, or forgets everything and starts again. */
export class Lane {
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
  /** By topic, then by partition. */
  readonly #tracks = new Map<string, Track[]>();
  readonly #sequence: Sequence;
  readonly #intake: Intake;
  readonly #trim: OutboxTrim;
  readonly #commands: (() => Promise<void>)[] = [];
  #batch: number;
  #timeMs: number;
  #owedSinceMs: number | undefined;
  #alarmMs = Infinity;
  #sinceMoved = 0;
  #end: LaneEnd | undefined;
  #undurable = 0;
  #named: string | undefined;
  /** Counts since this life began. */
  readonly counts = { batches: 0, inputs: 0, messages: 0, parked: 0, passedOn: 0 };

  constructor(options: LaneOptions) {
    const { id, row, recovered, store, world, limits } = options;
    this.id = id;
    this.#options = options;
    this.#store = store;
    this.#batch = row.batch;
    this.#timeMs = row.timeMs;
    this.#sequence = {
      source: row.source,
      nextN: row.nextN,
      lastN: new Map(),
      alreadySaid: new Set(options.alreadySaid),
    };
    for (const position of options.positions) this.#addTrack(new Track(position));
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
      onConfirmed: () => this.#owe(),
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
      onOwed: () => this.#owe(),
    });
    this.#bench = {
      id,
      store,
      routes: options.routes,
      cache: new StateCache(id, limits.cachedStates),
      parking: this.#parking,
      partitions: options.partitions,
      freeze: options.freeze,
      suspects: new Map(options.caution?.suspects),
      track: (topic, partition) => this.#tracks.get(topic)![partition]!,
      block: (topic, error) => this.#block(topic, error),
    };
  }

  /** Resolves when this life is over, with everything of it closed. */
  get ended(): Promise<LaneEnd> {
    return this.#ended.promise;
  }

  /** Begins to run. `sent` is how far each destination's messages are on the logs. */
  start(sent: ReadonlyMap<string, SentRow>, blocked: ReadonlyMap<string, WaybillError>): void {
    this.#resumeSending(sent);
    const byTransport = Map.groupBy(this.#allTracks(), (track) => this.#options.transportOf(track.topic));
    for (const [transport, tracks] of byTransport)
      this.#inbox.open(
        transport,
        tracks.map((track) => track.row()),
      );
    for (const [topic, error] of blocked) this.#block(topic, error);
    this.#effects.start();
    void this.#run();
  }

  #addTrack(track: Track): void {
    const ofTopic = this.#tracks.get(track.topic);
    if (ofTopic !== undefined) ofTopic[track.partition] = track;
    else {
      const first: Track[] = [];
      first[track.partition] = track;
      this.#tracks.set(track.topic, first);
    }
  }

  /** Of each topic the partitions that are this lane's. */
  #allTracks(): Track[] {
    return [...this.#tracks.values()].flatMap((ofTopic) => ofTopic.filter(Boolean));
  }

  #resumeSending(sent: ReadonlyMap<string, SentRow>): void {
    const { recovered, hasNewSource } = this.#options;
    const before = new Map<string, number>();
    for (const { topic, partition, n } of recovered.sent) before.set(`${topic}/${partition}`, n);
    for (const { topic, partition, lastN } of recovered.outbox) {
      const name = `${topic}/${partition}`;
      before.set(name, Math.max(lastN, before.get(name) ?? 0));
      // A log that is ahead of its database holds numbers which are given again, under another source.
      this.#sender.resume({ topic, partition }, Math.min(sent.get(name)?.n ?? 0, lastN), lastN);
    }
    if (!hasNewSource) for (const [name, n] of before) this.#sequence.lastN.set(name, n);
    this.#sender.kick();
  }

  async #run(): Promise<void> {
    try {
      while (this.#end === undefined) {
        for (const command of this.#commands.splice(0)) await command();
        const nowMs = this.#store.nowMs();
        this.#timeMs = Math.max(this.#timeMs, this.#inbox.timeMs(nowMs));
        const { batchBytes } = this.#options.limits;
        const gathered = await this.#intake.gather(this.#batchLimit(), batchBytes, this.#timeMs, nowMs);
        const empty = gathered.inputs.length + gathered.messages.length === 0;
        if (empty && !this.#mustWrite(nowMs)) {
          this.#setAlarm(nowMs);
          await this.#bell.wait();
        } else if (this.#careful && !empty) await this.#handleAlone(gathered, nowMs);
        else await this.#handle(gathered, empty, nowMs);
      }
    } catch (error) {
      this.#fail(error);
    }
    await this.#shutDown();
  }

  #batchLimit(): number {
    const { limits, caution } = this.#options;
    if (this.#careful) return 1;
    return this.#young ? Math.min(limits.batchInputs, caution?.batchInputs ?? Infinity) : limits.batchInputs;
  }

  /** After claims without progress inputs are handled alone, each named beforehand, until some have passed. */
  get #careful(): boolean {
    return this.#options.row.tries >= 3 && this.#young;
  }

  /** For as long as this life has not got past what its last one ended with. */
  get #young(): boolean {
    return this.counts.inputs < 2 * this.#options.limits.batchInputs;
  }

  /** The input that was named last before it was handled alone. */
  get named(): string | undefined {
    return this.#named;
  }

  async #handleAlone(gathered: Gathered, nowMs: number): Promise<void> {
    await this.#options.alone(async () => {
      if (this.#end !== undefined) return;
      await this.#nameSuspect(idsOf(gathered)[0]!);
      await this.#handle(gathered, false, nowMs);
    });
  }

  async #handle(gathered: Gathered, empty: boolean, nowMs: number): Promise<void> {
    const { id } = this;
    const { row, routes } = this.#options;
    const work = new Work(id.service, this.#sequence, nowMs);
    this.#timeMs = await run(this.#bench, gathered, work, this.#timeMs, this.#inbox.timeMs(nowMs));
    this.#applyMoved(work, empty);
    const sent = this.#sender.takeConfirmed();
    const retried = this.#effects.takeRetried();
    this.#owedSinceMs = undefined;
    if (work.empty && sent.length === 0 && retried.length === 0) return;
    const fence = { epoch: row.epoch, batch: this.#batch, timeMs: this.#timeMs, level: routes.service.level };
    const batch = this.#written(gathered, () => work.batch(id, fence, { sent, retried }));
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
    this.#bench.cache.age();
    this.counts.batches += 1;
    this.counts.inputs += work.inputs;
    this.counts.messages += work.messages.length;
    this.counts.passedOn += work.passedOn;
    this.counts.parked += work.parkedAdded.length;
  }

  async #nameSuspect(inputId: string): Promise<void> {
    const { row } = this.#options;
    this.#named = inputId;
    if (!(await this.#store.mark(this.id, row.epoch, { suspect: inputId }))) {
      throw new WaybillError("NOT_OWNER", `Lane ${this.id.lane} of ${this.id.service} was taken over.`);
    }
  }

  /** Writes positions that moved without a message: now and then, and when nothing else is to do. */
  #applyMoved(work: Work, idle: boolean): void {
    this.#sinceMoved += 1;
    if (!idle && this.#sinceMoved < movedEveryBatches) return;
    this.#sinceMoved = 0;
    for (const position of this.#inbox.moved()) {
      const track = this.#tracks.get(position.topic)![position.partition]!;
      if (track.broken || position.nextOffset <= track.nextOffset) continue;
      track.nextOffset = position.nextOffset;
      work.moved(track);
    }
  }

  #onDurable(work: Work, sent: readonly SentRow[], retried: readonly EffectRow[]): void {
    this.#undurable -= 1;
    if (this.#end !== undefined) {
      this.#bell.ring();
      return;
    }
    const outgoing = work.messages.filter((message) => !this.#store.hosts(message.topic));
    if (outgoing.length > 0) this.#sender.add(outgoing);
    if (work.effectsAdded.length > 0) this.#effects.added(work.effectsAdded);
    if (work.effectsDone.length > 0) this.#effects.finished(work.effectsDone);
    this.#effects.wrote(retried);
    if (sent.length > 0) {
      this.#trim.confirmed(sent, this.#store.nowMs()).catch((error: unknown) => this.#fail(error));
    }
    this.#owe();
  }

  #owe(): void {
    this.#owedSinceMs ??= this.#store.nowMs();
    this.#bell.ring();
  }

  #mustWrite(nowMs: number): boolean {
    return this.#owedSinceMs !== undefined && nowMs - this.#owedSinceMs >= oweMsMax;
  }

  /** Rings the bell when the next thing falls due by itself. */
  #setAlarm(nowMs: number): void {
    const due = Math.min(
      this.#intake.nextDueMs(nowMs),
      this.#owedSinceMs === undefined ? Infinity : this.#owedSinceMs + oweMsMax,
    );
    if (due >= this.#alarmMs || due === Infinity) return;
    this.#alarmMs = due;
    void this.#options.world.sleep(Math.max(0, due - nowMs), this.#stop.signal).then(() => {
      if (this.#alarmMs === due) this.#alarmMs = Infinity;
      this.#bell.ring();
    });
  }

  #block(topic: string, error: WaybillError): void {
    this.#inbox.block(topic, error);
    this.#options.world.log("error", "A lane reads no further in a topic.", {
      ...this.id,
      topic,
      code: error.code,
      error: error.message,
    });
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
    this.#end ??= endOf(error, caution);
    this.#bell.ring();
  }

  /** Ends this life at the next pause between batches. */
  close(): void {
    this.#end ??= { kind: "closed" };
    this.#bell.ring();
  }

  /** Ends this life at once: the lane may already be somebody else's. */
  lose(): void {
    this.#fail(new WaybillError("NOT_OWNER", `Lane ${this.id.lane} of ${this.id.service} was not renewed in time.`));
  }

  async #shutDown(): Promise<void> {
    this.#stop.abort();
    await this.#inbox.close();
    if (this.#end?.kind === "closed")
      while (this.#undurable > 0 && this.#end.kind === "closed") await this.#bell.wait();
    await this.#effects.close();
    await this.#sender.close();
    for (const command of this.#commands.splice(0)) await command();
    this.#ended.resolve(this.#end!);
  }

  /** Does something between two batches, by the lane's own hand. Rejects with NOT_OWNER when the lane has ended. */
  #between<T>(act: () => Promise<T>): Promise<T> {
    const done = deferred<T>();
    const command = async () => {
      if (this.#end !== undefined) {
        done.reject(new WaybillError("NOT_OWNER", `Lane ${this.id.lane} of ${this.id.service} has ended.`));
        return;
      }
      await act().then(done.resolve, done.reject);
    };
    if (this.#end !== undefined) void command();
    else this.#commands.push(command);
    this.#bell.ring();
    return done.promise;
  }

  /** Tries a parked key again, the first of its inputs with another body if one is given. False: it is not parked here. */
  redrive(key: string, body?: string): Promise<boolean> {
    return this.#between(async () => {
      if (this.#parking.get(key) === undefined) return false;
      this.#intake.redrive(key, body);
      return true;
    });
  }

  /** Gives up one input of a parked key for good. False when it is not there. */
  discard(key: string, seq: number): Promise<boolean> {
    return this.#between(async () => {
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
    return this.#between(async () => {
      const blocked = this.#inbox.blocked.find((one) => one.topic === topic);
      if (blocked === undefined) return false;
      const work = new Work(this.id.service, this.#sequence, this.#store.nowMs());
      const bounds = await this.#options.transportOf(topic).bounds(topic);
      for (const track of this.#tracks.get(topic)!.filter(Boolean)) {
        track.skipLoss(bounds[track.partition]!);
        work.moved(track);
      }
      await this.#commitAlone(work);
      this.#end = { kind: "reset", error: blocked.error, caution: undefined };
      return true;
    });
  }

  async #commitAlone(work: Work): Promise<void> {
    const fence = {
      epoch: this.#options.row.epoch,
      batch: this.#batch,
      timeMs: this.#timeMs,
      level: this.#options.routes.service.level,
    };
    const commit = this.#store.commit(work.batch(this.id, fence, { sent: [], retried: [] }));
    this.#batch += 1;
    commit.applied.catch(() => {});
    await commit.durable;
  }

  /** How the lane is, for operators. */
  status() {
    return {
      ...this.id,
      epoch: this.#options.row.epoch,
      timeMs: this.#timeMs,
      positions: Array.from(this.#allTracks(), ({ topic, partition, nextOffset }) => ({
        topic,
        partition,
        nextOffset,
      })),
      blocked: this.#inbox.blocked.map(({ topic, error }) => ({ topic, code: error.code, reason: error.message })),
      away: this.#inbox.away,
      parkedKeys: this.#parking.size,
      effects: this.#effects.waiting,
      outbox: this.#sender.waiting,
      counts: this.counts,
    };
  }
}

export type LaneStatus = ReturnType<Lane["status"]>;

/** The ids of what a batch holds, in the order in which it is handled. */
function idsOf({ inputs, messages }: Gathered): readonly string[] {
  return [...inputs, ...messages].map(({ id }) => id);
}
