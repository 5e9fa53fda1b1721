import type { AnyMessageType } from "./contract.ts";
import type { AnyEffectAdapter } from "./effects.ts";
import { codeOf, messageOf } from "./errors.ts";
import type { Caution, LaneEnd } from "./lane/end.ts";
import type { Hosted, LaneLife } from "./lane/hosted.ts";
import type { LaneStatus } from "./lane/status.ts";
import { laneLimits, type LaneLimits } from "./lane/limits.ts";
import { serviceLanes } from "./lane/service-lanes.ts";
import { survivedBy } from "./lane/suspect.ts";
import { mirrorLanes, type Mirroring } from "./mirror/mirror-lanes.ts";
import type { Service } from "./service.ts";
import type { LaneId, LaneRow, Member, Store } from "./store.ts";
import type { Transport } from "./transport.ts";
import type { World } from "./world.ts";

/** A service as this deployment runs it. */
export interface Running {
  readonly service: Service;
  /** How many lanes it has; at most the service's own maximum and the number of partitions. */
  readonly lanes: number;
}

/** What a process runs, and on what. */
export interface WorkerOptions {
  readonly store: Store;
  readonly world: World;
  readonly services: readonly Running[];
  /** Every message type of the build, also those that no service here handles. */
  readonly types: readonly AnyMessageType[];
  readonly adapters: Readonly<Record<string, AnyEffectAdapter>>;
  readonly transportOf: (topic: string) => Transport;
  readonly partitions: number;
  /** Names the code that runs: parked keys of another build are tried again. */
  readonly build: string;
  readonly host: string;
  readonly limits?: Partial<LaneLimits>;
  /** Topics that are copied from one broker to another. */
  readonly mirrors?: readonly Mirroring[];
  /** Freeze what handlers get and save; for tests. */
  readonly freeze?: boolean;
  /** How long this process may be silent before its lanes are free, in milliseconds. Default 5,000. */
  readonly ttlMs?: number;
  /** How often it renews, claims and gives away, in milliseconds. Default 1,000. */
  readonly tickMs?: number;
}

/** A process that runs lanes. */
export interface Worker extends AsyncDisposable {
  readonly memberId: string;
  /** The lanes that this process runs now. */
  lanes(): readonly LaneStatus[];
  /** Tries a parked key again at once, its first input with another body if one is given. False: not parked here. */
  redrive(service: string, key: string, body?: string): Promise<boolean>;
  /** Gives up one input of a parked key for good. False: it is not here. */
  discard(service: string, key: string, seq: number): Promise<boolean>;
  /** A person's decision to go on in a stopped topic without what is missing. False: no lane here waits for that. */
  acceptLoss(service: string, topic: string): Promise<boolean>;
  /** Stops reading, finishes the batches, gives the lanes back. */
  close(): Promise<void>;
}

/** Joins, claims this process' share of lanes, and runs them until it is closed. Resolves after the first claims. */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const worker = new LaneWorker(options);
  await worker.start();
  return worker;
}

/** A lane that runs here, and the newest of its batches that is durable. */
interface Written {
  readonly lane: LaneLife;
  readonly batch: number;
}

/**
 * For how long lanes that are given back are gathered: a process that ends gives all of its own back within a few milliseconds,
 * and a lane that is claimed later waits for the ones before it to open.
 */
const gatherMs = 20;

class LaneWorker implements Worker {
  readonly memberId: string;
  readonly #options: WorkerOptions;
  readonly #hosted = new Map<string, Hosted>();
  /** Lanes that this process holds or is claiming, by `service/lane`. */
  readonly #lanes = new Map<string, { lane: LaneLife | undefined; giveAway: boolean }>();
  readonly #lives = new Set<Promise<void>>();
  readonly #restUntilMs = new Map<string, number>();
  /** What this process has lived through with each lane: its own claims, and the input that it named last. */
  readonly #survived = new Map<string, { claims: number; named: string | undefined }>();
  readonly #stop = new AbortController();
  /** Aborted when another process is said to have given a lane back, so that the next tick comes at once, and when this one ends. */
  #woken = new AbortController();
  readonly #ttlMs: number;
  #renewedMs = 0;
  #watch: AsyncDisposable | undefined;
  #alone: Promise<unknown> = Promise.resolve();
  #ticking: Promise<void> = Promise.resolve();

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#ttlMs = options.ttlMs ?? 5_000;
    this.memberId = options.world.newId();
    const limits = { ...laneLimits, ...options.limits };
    const alone = (work: () => Promise<void>) => this.#runAlone(work);
    const stop = this.#stop.signal;
    for (const running of options.services) this.#host(serviceLanes(running, { ...options, limits, alone }, stop));
    for (const mirror of options.mirrors ?? []) this.#host(mirrorLanes(mirror, options, stop));
  }

  #host(hosted: Hosted): void {
    this.#hosted.set(hosted.name, hosted);
  }

  async start(): Promise<void> {
    const { store, world } = this.#options;
    for (const { name, lanes } of this.#hosted.values()) await store.declare(name, lanes, () => world.newId());
    await this.#join();
    this.#watch = store.watch([...this.#hosted.keys()], () => this.#woken.abort());
    await (
      await this.#tick()
    ).begun;
    this.#ticking = this.#tickOn();
  }

  async #join(): Promise<void> {
    await this.#options.store.join(this.#member(), this.#ttlMs);
    this.#renewedMs = this.#options.world.monotonicMs();
  }

  #member(): Member {
    const services = this.#stop.signal.aborted ? [] : [...this.#hosted.keys()];
    const level = Math.max(...Array.from(this.#hosted.values(), (hosted) => hosted.level));
    return { id: this.memberId, host: this.#options.host, services, level };
  }

  async #tickOn(): Promise<void> {
    const { world, tickMs = 1_000 } = this.#options;
    while (!this.#stop.signal.aborted) {
      await world.sleep(tickMs, this.#woken.signal);
      if (this.#woken.signal.aborted) await world.sleep(gatherMs, this.#stop.signal);
      if (this.#stop.signal.aborted) return;
      this.#woken = new AbortController();
      await this.#tick().catch((error: unknown) => {
        world.log("warn", "The worker could not renew or claim; it tries again.", {
          code: codeOf(error),
          error: messageOf(error),
        });
        this.#loseLanesIfSilent();
      });
    }
  }

  /** Renews, and claims or gives away. Returns what the first claims wait for: no later tick waits for a lane to open. */
  async #tick(): Promise<{ readonly begun: Promise<unknown> }> {
    const { store, world, tickMs = 1_000 } = this.#options;
    const beganMs = world.monotonicMs();
    // Who is woken in between looks at once: a renewal waits for the disk.
    if (beganMs - this.#renewedMs >= tickMs / 2) await this.#renew(beganMs);
    const held = this.#durable();
    const { lanes, members } = await store.survey([...this.#hosted.keys()]);
    this.#loseForgotten(held, lanes);
    const live = new Set(members.map((member) => member.id));
    const first: Promise<unknown>[] = [];
    for (const [name, hosted] of this.#hosted) {
      const rows = lanes.filter((row) => row.service === name);
      // Those of an older build cannot have the lanes on which a newer one has written.
      const level = Math.max(0, ...rows.map((row) => row.level));
      const sharers = members.filter((member) => member.services.includes(name) && member.level >= level).length;
      first.push(...this.#balance(hosted, rows, live, Math.ceil(rows.length / Math.max(1, sharers))));
    }
    return { begun: Promise.all(first) };
  }

  /** Stays a member for longer, or becomes one again, without lanes, when it was too late. */
  async #renew(nowMs: number): Promise<void> {
    if (await this.#options.store.renew(this.memberId, this.#ttlMs)) {
      this.#renewedMs = nowMs;
      return;
    }
    this.#loseLanes("the worker was not renewed in time.");
    await this.#join();
  }

  /** Claims free lanes up to the fair share, or gives one away above it. Returns what the first claims wait for. */
  #balance(hosted: Hosted, rows: readonly LaneRow[], live: ReadonlySet<string>, share: number): Promise<unknown>[] {
    const { name, lanes } = hosted;
    const nowMs = this.#options.world.monotonicMs();
    const held = [...this.#lanes.keys()].filter((key) => key.startsWith(`${name}/`));
    const claims: Promise<unknown>[] = [];
    for (const row of rows) {
      const key = keyOf(row);
      const free = row.owner === undefined || row.owner === this.memberId || !live.has(row.owner);
      if (!free || this.#lanes.has(key) || row.stopped !== undefined || row.level > hosted.level) continue;
      // One that is ours and could not be opened is nobody else's to open; what is above the share is given away later.
      const isAboveShare = row.owner !== this.memberId && held.length + claims.length >= share;
      if ((this.#restUntilMs.get(key) ?? 0) > nowMs || isAboveShare) continue;
      claims.push(this.#begin(hosted, { service: name, lane: row.lane, lanes }, row));
    }
    if (held.length > share) {
      const given = this.#lanes.get(held.at(-1)!);
      if (given?.lane !== undefined) {
        given.giveAway = true;
        given.lane.close();
      }
    }
    return claims;
  }

  /** Begins to hold a lane; resolves when its first life runs or could not be had. */
  #begin(hosted: Hosted, id: LaneId, row: LaneRow): Promise<void> {
    const key = keyOf(id);
    this.#lanes.set(key, { lane: undefined, giveAway: false });
    return new Promise((resolve) => {
      const life = this.#hold(hosted, id, row, resolve)
        .catch((error: unknown) => {
          this.#options.world.log("warn", "A lane could not be opened; it is tried again.", {
            ...id,
            code: codeOf(error),
            error: messageOf(error),
          });
        })
        .finally(() => {
          this.#lanes.delete(key);
          this.#lives.delete(life);
          resolve();
        });
      this.#lives.add(life);
    });
  }

  /** Claims and runs a lane, life after life, until it is given back or lost. */
  async #hold(hosted: Hosted, id: LaneId, seen: LaneRow, running: () => void): Promise<void> {
    const { store, world } = this.#options;
    const key = keyOf(id);
    let epoch = seen.epoch;
    let caution: Caution | undefined;
    for (let resets = 0; !this.#stop.signal.aborted;) {
      const row = await store.claim(id, this.memberId, hosted.level, epoch);
      if (row === undefined) return;
      epoch = row.epoch;
      const lane = await hosted.open(id, this.#sinceOthersDied(key, row), caution);
      this.#lanes.get(key)!.lane = lane;
      running();
      if (this.#stop.signal.aborted) lane.close();
      const end = await lane.ended;
      this.#lanes.get(key)!.lane = undefined;
      this.#survived.get(key)!.named = lane.named;
      this.#say(id, end);
      if (end.kind !== "reset") return this.#giveBack(id, epoch, end);
      resets = lane.counts.batches > 0 ? 1 : resets + 1;
      caution = end.caution;
      await world.sleep(Math.min(50 * 2 ** resets, 5_000), this.#stop.signal);
    }
  }

  /** The row as it is without what this process did: its own claims and the input that it named did not kill it. */
  #sinceOthersDied(key: string, row: LaneRow): LaneRow {
    const { claims, named } = this.#survived.get(key) ?? { claims: 0, named: undefined };
    this.#survived.set(key, { claims: claims + 1, named });
    return { ...row, tries: row.tries - claims, suspect: row.suspect === named ? survivedBy(named) : row.suspect };
  }

  #runAlone(work: () => Promise<void>): Promise<void> {
    const done = this.#alone.then(work);
    this.#alone = done.catch(() => undefined);
    return done;
  }

  async #giveBack(id: LaneId, epoch: number, end: LaneEnd): Promise<void> {
    const { store, world } = this.#options;
    const stopped = end.kind === "stopped" ? { stopped: `${end.error.code}: ${end.error.message}` } : {};
    const named = this.#survived.get(keyOf(id))?.named;
    if (named !== undefined || end.kind === "stopped") await store.mark(id, epoch, { suspect: null, ...stopped });
    // Somebody with a newer build, or more luck, gets the first chance at it.
    if (end.kind === "yielded") this.#restUntilMs.set(keyOf(id), world.monotonicMs() + 2_000);
    await store.release(id, epoch);
  }

  #say(id: LaneId, end: LaneEnd): void {
    if (end.kind === "closed") return;
    const level = end.kind === "stopped" ? "error" : "warn";
    this.#options.world.log(level, `A lane ${end.kind === "reset" ? "starts again" : `was ${end.kind}`}.`, {
      ...id,
      code: end.error.code,
      error: end.error.message,
    });
  }

  /** Without a renewal for as long as the others wait for one, this process may not act for its lanes. */
  #loseLanesIfSilent(): void {
    if (this.#options.world.monotonicMs() - this.#renewedMs > this.#ttlMs)
      this.#loseLanes("the worker was not renewed in time.");
  }

  #loseLanes(why: string): void {
    for (const { lane } of this.#lanes.values()) lane?.lose(why);
  }

  /** The lanes that run here, and what each has written for certain. */
  #durable(): Map<string, Written> {
    const held = new Map<string, Written>();
    for (const [key, { lane }] of this.#lanes)
      if (lane !== undefined) held.set(key, { lane, batch: lane.durableBatch });
    return held;
  }

  /** A lane that has nothing to commit does not run into the fence: what its row says is compared. */
  #loseForgotten(held: ReadonlyMap<string, Written>, rows: readonly LaneRow[]): void {
    for (const row of rows) {
      const { lane, batch } = held.get(keyOf(row)) ?? {};
      if (lane === undefined) continue;
      if (row.epoch > lane.epoch) lane.lose("it was claimed by another.");
      else if (row.epoch < lane.epoch || row.batch < batch!) lane.lose("the database has forgotten what it wrote.");
    }
  }

  lanes(): readonly LaneStatus[] {
    return [...this.#lanes.values()].flatMap(({ lane }) => (lane === undefined ? [] : [lane.status()]));
  }

  redrive(service: string, key: string, body?: string): Promise<boolean> {
    return this.#ask(service, (lane) => lane.redrive(key, body));
  }

  discard(service: string, key: string, seq: number): Promise<boolean> {
    return this.#ask(service, (lane) => lane.discard(key, seq));
  }

  acceptLoss(service: string, topic: string): Promise<boolean> {
    return this.#ask(service, (lane) => lane.acceptLoss(topic));
  }

  /** Asks the service's lanes here one after the other until one says yes; `acceptLoss` concerns them all. */
  async #ask(service: string, question: (lane: LaneLife) => Promise<boolean>): Promise<boolean> {
    let any = false;
    for (const { lane } of this.#lanes.values()) {
      if (lane?.id.service === service && (await question(lane))) any = true;
    }
    return any;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#woken.abort();
    for (const { lane } of this.#lanes.values()) lane?.close();
    // From now on it has no share: the others take each lane as soon as it is given back, not when all are.
    const resigned = this.#join().catch(() => undefined);
    await this.#ticking;
    await Promise.all(this.#lives);
    await resigned;
    await this.#watch?.[Symbol.asyncDispose]();
    await this.#options.store.leave(this.memberId);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

function keyOf(of: { readonly service: string; readonly lane: number }): string {
  return `${of.service}/${of.lane}`;
}
