import type { AnyMessageType } from "./contract.ts";
import type { AnyEffectAdapter } from "./effects.ts";
import { codeOf, messageOf, WaybillError } from "./errors.ts";
import { bindEffects, type BoundEffect } from "./lane/bind-effects.ts";
import type { Caution, LaneEnd } from "./lane/end.ts";
import { Lane, type LaneStatus } from "./lane/lane.ts";
import { laneLimits, type LaneLimits } from "./lane/limits.ts";
import { comparePositions, readTail } from "./lane/resume.ts";
import { routesOf, type Routes } from "./lane/routes.ts";
import { deathsMax, survivedBy, suspectIn } from "./lane/suspect.ts";
import { reads, type Service } from "./service.ts";
import type { LaneId, LaneRow, Member, Store } from "./store.ts";
import type { Transport } from "./transport.ts";
import type { World } from "./world.ts";

/** A service as this deployment runs it. */
export interface Running {
  readonly service: Service;
  /** How many lanes it has; at most the service's own maximum and the number of partitions. */
  readonly lanes: number;
}

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

interface Hosted {
  readonly running: Running;
  readonly routes: Routes;
  readonly effects: ReadonlyMap<string, BoundEffect>;
  readonly topics: ReadonlyMap<string, Transport>;
}

class LaneWorker implements Worker {
  readonly memberId: string;
  readonly #options: WorkerOptions;
  readonly #limits: LaneLimits;
  readonly #hosted = new Map<string, Hosted>();
  /** Lanes that this process holds or is claiming, by `service/lane`. */
  readonly #lanes = new Map<string, { lane: Lane | undefined; giveAway: boolean }>();
  readonly #lives = new Set<Promise<void>>();
  readonly #restUntilMs = new Map<string, number>();
  /** What this process has lived through with each lane: its own claims, and the input that it named last. */
  readonly #survived = new Map<string, { claims: number; named: string | undefined }>();
  readonly #stop = new AbortController();
  /** Aborted when another process is said to have given a lane back: the next tick comes at once. */
  #freed = new AbortController();
  readonly #ttlMs: number;
  #renewedMs = 0;
  #watch: AsyncDisposable | undefined;
  #ticking: Promise<void> = Promise.resolve();
  #alone: Promise<unknown> = Promise.resolve();

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#limits = { ...laneLimits, ...options.limits };
    this.#ttlMs = options.ttlMs ?? 5_000;
    this.memberId = options.world.newId();
    for (const running of options.services) this.#hosted.set(running.service.name, this.#host(running));
  }

  #host(running: Running): Hosted {
    const { service, lanes } = running;
    const { types, adapters, transportOf, partitions } = this.#options;
    const lanesMax = Math.min(service.lanesMax ?? partitions, partitions);
    if (!Number.isInteger(lanes) || lanes < 1 || lanes > lanesMax) {
      throw new WaybillError(
        "CONTRACT_INVALID",
        `Service "${service.name}" can have 1 to ${lanesMax} lanes, not ${lanes}.`,
      );
    }
    return {
      running,
      routes: routesOf(service, types),
      effects: bindEffects(service, adapters),
      topics: new Map(reads(service).map((topic) => [topic, transportOf(topic)])),
    };
  }

  async start(): Promise<void> {
    const { store, world } = this.#options;
    for (const { running } of this.#hosted.values()) {
      await store.declare(running.service.name, running.lanes, () => world.newId());
    }
    await this.#join();
    this.#watch = store.watch([...this.#hosted.keys()], () => this.#freed.abort());
    await this.#tick();
    this.#ticking = this.#tickOn();
  }

  async #join(): Promise<void> {
    await this.#options.store.join(this.#member(), this.#ttlMs);
    this.#renewedMs = this.#options.world.monotonicMs();
  }

  #member(): Member {
    const services = this.#stop.signal.aborted ? [] : [...this.#hosted.keys()];
    const level = Math.max(...Array.from(this.#hosted.values(), ({ running }) => running.service.level));
    return { id: this.memberId, host: this.#options.host, services, level };
  }

  async #tickOn(): Promise<void> {
    const { world, tickMs = 1_000 } = this.#options;
    while (!this.#stop.signal.aborted) {
      await world.sleep(tickMs, AbortSignal.any([this.#stop.signal, this.#freed.signal]));
      if (this.#stop.signal.aborted) return;
      this.#freed = new AbortController();
      await this.#tick().catch((error: unknown) => {
        world.log("warn", "The worker could not renew or claim; it tries again.", {
          code: codeOf(error),
          error: messageOf(error),
        });
        this.#loseLanesIfSilent();
      });
    }
  }

  async #tick(): Promise<void> {
    const { store, world } = this.#options;
    const beganMs = world.monotonicMs();
    if (await store.renew(this.memberId, this.#ttlMs)) this.#renewedMs = beganMs;
    else {
      this.#loseLanes();
      await this.#join();
    }
    const { lanes, members } = await store.survey([...this.#hosted.keys()]);
    const live = new Set(members.map((member) => member.id));
    const first: Promise<unknown>[] = [];
    for (const [name, hosted] of this.#hosted) {
      const rows = lanes.filter((row) => row.service === name);
      // Those of an older build cannot have the lanes on which a newer one has written.
      const level = Math.max(0, ...rows.map((row) => row.level));
      const sharers = members.filter((member) => member.services.includes(name) && member.level >= level).length;
      first.push(...this.#balance(hosted, rows, live, Math.ceil(rows.length / Math.max(1, sharers))));
    }
    await Promise.all(first);
  }

  /** Claims free lanes up to the fair share, or gives one away above it. Returns what the first claims wait for. */
  #balance(hosted: Hosted, rows: readonly LaneRow[], live: ReadonlySet<string>, share: number): Promise<unknown>[] {
    const { service, lanes } = hosted.running;
    const nowMs = this.#options.world.monotonicMs();
    const held = [...this.#lanes.keys()].filter((key) => key.startsWith(`${service.name}/`));
    const claims: Promise<unknown>[] = [];
    for (const row of rows) {
      const key = keyOf(row);
      const free = row.owner === undefined || row.owner === this.memberId || !live.has(row.owner);
      if (!free || this.#lanes.has(key) || row.stopped !== undefined || row.level > service.level) continue;
      // One that is ours and could not be opened is nobody else's to open; what is above the share is given away later.
      const isAboveShare = row.owner !== this.memberId && held.length + claims.length >= share;
      if ((this.#restUntilMs.get(key) ?? 0) > nowMs || isAboveShare) continue;
      claims.push(this.#begin(hosted, { service: service.name, lane: row.lane, lanes }, row));
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
      const row = await store.claim(id, this.memberId, hosted.routes.service.level, epoch);
      if (row === undefined) return;
      epoch = row.epoch;
      const lane = await this.#open(hosted, id, this.#sinceOthersDied(key, row), caution);
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

  async #open(hosted: Hosted, id: LaneId, row: LaneRow, caution: Caution | undefined): Promise<Lane> {
    const { store, world, transportOf, partitions, build, freeze = false } = this.#options;
    const recovered = await store.recover(id);
    const owned = Array.from({ length: partitions }, (_, index) => index).filter(
      (index) => index % id.lanes === id.lane,
    );
    const compared = await comparePositions(hosted.topics, owned, recovered.positions);
    for (const where of compared.rewound)
      world.log("warn", "A position is in doubt; its log is read again from the start.", { ...id, where });
    const outgoing = [...new Set(Array.from(hosted.routes.sends, ({ topic }) => topic.name))];
    const tail = await readTail(
      row,
      recovered,
      outgoing.filter((topic) => !store.hosts(topic)),
      transportOf,
      this.#stop.signal,
    );
    const current = tail.rewound ? await this.#newSource(id, row) : row;
    const lane = new Lane({
      id,
      row: current,
      recovered,
      positions: compared.positions,
      alreadySaid: tail.said,
      hasNewSource: tail.rewound,
      store,
      world,
      routes: hosted.routes,
      effects: hosted.effects,
      transportOf,
      partitions,
      build,
      limits: this.#limits,
      freeze,
      caution: withSuspect(caution, row),
      alone: (work) => this.#runAlone(work),
    });
    lane.start(tail.lastN, compared.passed);
    return lane;
  }

  #runAlone(work: () => Promise<void>): Promise<void> {
    const done = this.#alone.then(work);
    this.#alone = done.catch(() => undefined);
    return done;
  }

  /** The database is older than the log: this lane goes on under a new name, so that its numbers are not taken for repeats. */
  async #newSource(id: LaneId, row: LaneRow): Promise<LaneRow> {
    const { store, world } = this.#options;
    const source = world.newId();
    world.log("error", "The database is older than the log; the lane goes on with a new source.", {
      ...id,
      code: "STORE_REWOUND",
      from: row.source,
      to: source,
    });
    if (!(await store.mark(id, row.epoch, { source }))) {
      throw new WaybillError("NOT_OWNER", `Lane ${id.lane} of ${id.service} was taken over.`);
    }
    return { ...row, source };
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
    if (this.#options.world.monotonicMs() - this.#renewedMs > this.#ttlMs) this.#loseLanes();
  }

  #loseLanes(): void {
    for (const { lane } of this.#lanes.values()) lane?.lose();
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
  async #ask(service: string, question: (lane: Lane) => Promise<boolean>): Promise<boolean> {
    let any = false;
    for (const { lane } of this.#lanes.values()) {
      if (lane?.id.service === service && (await question(lane))) any = true;
    }
    return any;
  }

  async close(): Promise<void> {
    this.#stop.abort();
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

/** An input of which process after process died is set aside unrun. */
function withSuspect(caution: Caution | undefined, row: LaneRow): Caution | undefined {
  const suspect = suspectIn(row.suspect);
  if (suspect === undefined || suspect.deaths < deathsMax) return caution;
  const { id, deaths } = suspect;
  const suspects = new Map(caution?.suspects);
  const text = `${deaths} processes died one after the other while they handled ${id} alone; it was set aside unrun.`;
  suspects.set(id, new WaybillError("INPUT_FATAL", text));
  return { batchInputs: caution?.batchInputs ?? Number.MAX_SAFE_INTEGER, suspects };
}
