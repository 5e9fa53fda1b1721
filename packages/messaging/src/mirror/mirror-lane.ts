import { WaybillError } from "../errors.ts";
import { bareBatch } from "../lane/bare-batch.ts";
import { Between } from "../lane/between.ts";
import { linkOf, markAfter } from "../lane/chain.ts";
import { endOf, type LaneEnd } from "../lane/end.ts";
import { gapError } from "../lane/admit.ts";
import type { LaneLife } from "../lane/hosted.ts";
import type { LaneStatus } from "../lane/status.ts";
import { gapIn, seekMissing, type Gap } from "../lane/seek.ts";
import type { Track } from "../lane/track.ts";
import { Tracks } from "../lane/tracks.ts";
import { deferred } from "../lane/wake.ts";
import type { Envelope, StoredMessage } from "../message.ts";
import type { LaneId, LaneRow, PositionRow, SentRow, Store } from "../store.ts";
import type { World } from "../world.ts";
import type { Mirroring } from "./mirror-lanes.ts";
import { copyKey, type Copied } from "./target.ts";

/** What is copied at once, and then made to stand in one commit. */
const page = { messages: 2_000, bytes: 4_194_304, waitMs: 10_000 };
const appendMax = 1_000;
/** After so many looks, positions that moved past repeats only are written too. */
const movedEveryLooks = 64;

/** One life of a mirror: reads a topic on one broker and appends it to another. Any failure ends it; the next looks again. */
export class MirrorLane implements LaneLife {
  readonly id: LaneId;
  readonly named = undefined;
  readonly counts = { batches: 0, inputs: 0, messages: 0, parked: 0, passedOn: 0 };
  readonly #row: LaneRow;
  readonly #mirroring: Mirroring;
  readonly #store: Store;
  readonly #world: World;
  readonly #tracks: Tracks;
  readonly #unstamped: Set<string>;
  readonly #between: Between;
  readonly #ended = deferred<LaneEnd>();
  readonly #stop = new AbortController();
  readonly #blocked = new Map<string, WaybillError>();
  readonly #seeking: Promise<void>[] = [];
  /** Ends the fetch under way, so that what was asked for gets its turn. */
  #wake = new AbortController();
  #moved = new Set<Track>();
  #batch: number;
  #nextN: number;
  #end: LaneEnd | undefined;

  constructor(options: {
    id: LaneId;
    row: LaneRow;
    mirroring: Mirroring;
    store: Store;
    world: World;
    positions: readonly PositionRow[];
    copied: Copied;
    blocked: ReadonlyMap<string, WaybillError>;
  }) {
    const { id, row, copied } = options;
    this.id = id;
    this.#row = row;
    this.#batch = row.batch;
    this.#nextN = row.nextN;
    this.#mirroring = options.mirroring;
    this.#store = options.store;
    this.#world = options.world;
    this.#tracks = new Tracks(options.positions);
    for (const [partition, marks] of copied.marks) {
      const track = this.#tracks.get(options.mirroring.topic, partition);
      for (const [source, n] of marks) track.tookAhead({ source, n });
    }
    this.#unstamped = new Set(copied.unstamped);
    this.#between = new Between(id);
    for (const error of options.blocked.values()) this.#block(error);
    void this.#run();
  }

  get ended(): Promise<LaneEnd> {
    return this.#ended.promise;
  }

  async #run(): Promise<void> {
    const { from } = this.#mirroring;
    const { signal } = this.#stop;
    try {
      await using reader = from.reader(this.#tracks.all().map((track) => track.row()));
      for (let looks = 1; this.#end === undefined; looks++) {
        this.#wake = new AbortController();
        await this.#between.turn();
        if (this.#end !== undefined) break;
        const except = new Set(this.#blocked.keys());
        const fetched = await reader.fetch({ ...page, except }, AbortSignal.any([signal, this.#wake.signal]));
        const copies = fetched.messages.filter((message) => this.#isNew(message));
        if (this.#blocked.size === 0) this.#tracks.move(fetched.next, { moved: (track) => this.#moved.add(track) });
        await this.#copy(copies);
        if (copies.length > 0 || (looks % movedEveryLooks === 0 && this.#moved.size > 0)) await this.#note();
      }
    } catch (error) {
      this.#fail(error);
    }
    await this.#between.turn();
    this.#stop.abort();
    await Promise.all(this.#seeking);
    this.#ended.resolve(this.#end!);
  }

  /** Takes a message's place in its source's chain; false when it is copied already, or lies behind a gap. */
  #isNew(message: StoredMessage): boolean {
    const track = this.#tracks.get(message.topic, message.partition);
    if (track.broken || message.offset < track.nextOffset) return false;
    const { stamp } = message;
    if (stamp !== undefined) {
      const mark = track.marks.get(stamp.source);
      const link = linkOf(mark, stamp);
      if (link === "gap") {
        track.broken = true;
        this.#block(gapError(message, mark!));
        return false;
      }
      if (link === "next") track.marks.set(stamp.source, markAfter(mark, stamp));
      track.took(message);
      this.#moved.add(track);
      return link === "next";
    }
    track.took(message);
    this.#moved.add(track);
    if (message.malformed === undefined) return !this.#unstamped.delete(copyKey(message));
    const { partition, offset, malformed: why } = message;
    this.#world.log("warn", "A record that is no message is not copied.", { ...this.id, partition, offset, why });
    return false;
  }

  #sent = new Map<number, SentRow>();

  /** Appends copies, in order within each partition. Throws at the first that is not known to be stored. */
  async #copy(copies: readonly StoredMessage[]): Promise<void> {
    const { topic, to } = this.#mirroring;
    const left = Map.groupBy(copies, ({ partition }) => partition);
    while (left.size > 0) {
      const appends = Array.from(left, ([partition, messages]) => ({
        topic,
        partition,
        messages: messages.splice(0, appendMax).map(envelopeOf),
      }));
      for (const [partition, messages] of left) if (messages.length === 0) left.delete(partition);
      const results = await to.append(appends, this.#stop.signal);
      for (const [at, result] of results.entries()) {
        if (!result.ok) throw result.error;
        const { partition, messages } = appends[at]!;
        const { logId, lastOffset } = result;
        this.#sent.set(partition, { topic, partition, n: (this.#nextN += messages.length) - 1, logId, lastOffset });
      }
    }
  }

  /** Commits how far the copy is. */
  async #note(): Promise<void> {
    const sent = [...this.#sent.values()];
    const count = this.#nextN - this.#row.nextN - this.counts.messages;
    const { epoch, timeMs } = this.#row;
    const positions = Array.from(this.#moved, (track) => track.row());
    this.#sent = new Map();
    this.#moved = new Set();
    const commit = this.#store.commit(
      bareBatch(this.id, { epoch, batch: this.#batch, timeMs, level: 1, count, positions, sent }),
    );
    this.#batch += 1;
    commit.applied.catch(() => undefined);
    await commit.durable;
    this.counts.batches += 1;
    this.counts.messages += count;
  }

  #block(why: WaybillError): void {
    this.#blocked.set(this.#mirroring.topic, why);
    this.#world.log("error", "A mirror reads no further.", { ...this.id, code: why.code, error: why.message });
    const gap = gapIn(why);
    if (gap !== undefined) this.#seeking.push(this.#seek(gap).catch((failed: unknown) => this.#fail(failed)));
  }

  /** Copies what a gap misses as soon as it is said again further on, and then begins at the gap once more. */
  async #seek(gap: Gap): Promise<void> {
    const track = this.#tracks.get(gap.topic, gap.partition);
    const found = await seekMissing(gap, track.row(), this.#mirroring.from, this.#world, this.#stop.signal);
    if (found === undefined || this.#end !== undefined) return;
    await this.#ask(async () => {
      for (const { stamp } of found) track.tookAhead(stamp!);
      this.#moved.add(track);
      await this.#copy(found);
      await this.#note();
      this.#fail(new WaybillError("GAP", `What ${gap.topic}/${gap.partition} was missing is found further on.`));
    });
  }

  #ask<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#between.ask(act, () => this.#end !== undefined);
    if (this.#end !== undefined) void this.#between.turn();
    this.#wake.abort();
    return done;
  }

  #fail(error: unknown): void {
    this.#end ??= endOf(error, undefined);
    this.#stop.abort();
  }

  close(): void {
    this.#end ??= { kind: "closed" };
    this.#wake.abort();
  }

  get epoch(): number {
    return this.#row.epoch;
  }

  get durableBatch(): number {
    return this.#row.batch + this.counts.batches;
  }

  lose(why: string): void {
    this.#fail(new WaybillError("NOT_OWNER", `${this.id.service}: ${why}`));
  }

  redrive(): Promise<boolean> {
    return Promise.resolve(false);
  }

  discard(): Promise<boolean> {
    return Promise.resolve(false);
  }

  /** A person's decision to go on without what is missing. The mirror starts again. */
  acceptLoss(topic: string): Promise<boolean> {
    return this.#ask(async () => {
      const error = this.#blocked.get(topic);
      if (error === undefined) return false;
      const bounds = await this.#mirroring.from.bounds(topic);
      this.#tracks.skipLoss(topic, bounds, { moved: (track) => this.#moved.add(track) });
      await this.#note();
      this.#fail(error);
      return true;
    });
  }

  status(): LaneStatus {
    return {
      ...this.id,
      epoch: this.epoch,
      timeMs: this.#row.timeMs,
      positions: this.#tracks.all().map(({ topic, partition, nextOffset }) => ({ topic, partition, nextOffset })),
      blocked: Array.from(this.#blocked, ([topic, { code, message }]) => ({ topic, code, reason: message })),
      away: [],
      parkedKeys: 0,
      effects: 0,
      heldQueues: [],
      outbox: 0,
      counts: this.counts,
    };
  }
}

function envelopeOf({ topic: _t, partition: _p, offset: _o, malformed: _m, ...envelope }: StoredMessage): Envelope {
  return envelope;
}
