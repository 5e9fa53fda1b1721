import { codeOf, messageOf } from "../errors.ts";
import { upcast } from "../contract.ts";
import type { Outcome } from "../service.ts";
import type { EffectKey, EffectRow, LaneId, Store } from "../store.ts";
import type { World } from "../world.ts";
import { shareOf, type BoundEffect } from "./bind-effects.ts";
import { begun, waitMs } from "./breaker.ts";
import {
  chainName,
  emptyQueue,
  goBehind,
  heard,
  sideOf,
  triedAgain,
  wakeAll,
  type Chain,
  type Queue,
  type Side,
} from "./effect-queue.ts";
import { attemptEffect, Call, unbound, type Verdict } from "./outside.ts";

/** How many entities a queue holds in memory. */
const chainsMax = 2_048;
const page = 256;
const lookUpAgainMs = 500;
const timeoutMsDefault = 30_000;

/** Runs the effects of a lane: after their commit, in order per entity and queue, until each has an outcome. */
export class EffectsRunner {
  readonly #id: LaneId;
  readonly #store: Store;
  readonly #world: World;
  readonly #bound: ReadonlyMap<string, BoundEffect>;
  readonly #onResult: (row: EffectRow, input: unknown, outcome: Outcome<unknown>) => void;
  readonly #onOwed: () => void;
  readonly #queues = new Map<string, Queue>();
  readonly #sides = new Map<string, Side>();
  readonly #calls = new Map<Call, number>();
  readonly #stop = new AbortController();
  readonly #background = new Set<Promise<void>>();
  #retried = new Map<string, EffectRow>();
  #sweeping = false;
  #loading = false;
  /** The last look at the table ended before all of it was seen. */
  #isPartial = false;
  readonly #firstSeq: number;

  constructor(options: {
    id: LaneId;
    /** Rows from here on were recorded in this life of the lane, so nobody can have called them before. */
    firstSeq: number;
    store: Store;
    world: World;
    bound: ReadonlyMap<string, BoundEffect>;
    onResult: (row: EffectRow, input: unknown, outcome: Outcome<unknown>) => void;
    /** Told when rows wait to be written with the next commit. */
    onOwed: () => void;
  }) {
    this.#id = options.id;
    this.#firstSeq = options.firstSeq;
    this.#store = options.store;
    this.#world = options.world;
    this.#bound = options.bound;
    this.#onResult = options.onResult;
    this.#onOwed = options.onOwed;
  }

  /** Takes up what a former owner left. Any of it may have been called already. */
  start(): void {
    if (this.#bound.size > 0) this.#spawn(this.#load());
  }

  /** Adds effects that are durable now, in order. */
  added(rows: readonly EffectRow[]): void {
    for (const row of rows) {
      const queue = this.#queue(row.queue);
      const name = chainName(row);
      const chain = queue.chains.get(name);
      if (chain !== undefined) {
        if (!chain.more && chain.rows.length < page) chain.rows.push(row);
        else chain.more = chain.missed = true;
      } else if (queue.unloaded || this.#loading || queue.chains.size >= chainsMax) this.#leave(queue, row);
      else {
        const admitted: Chain = { name, rows: [row], more: false, missed: false, doubt: false };
        queue.chains.set(name, admitted);
        queue.ready.push(admitted);
      }
    }
    this.#runAll();
  }

  /** Leaves a row in the table, where others of its entity may stand before it; the first of them runs if there is room. */
  #leave(queue: Queue, row: EffectRow): void {
    queue.unloaded = true;
    if (!this.#loading && queue.chains.size < chainsMax) this.#spawn(this.#admit(row));
  }

  async #admit(row: EffectRow): Promise<void> {
    const head = await this.#ask(() => this.#store.nextEffect(this.#id.service, { ...row, seq: 0 }));
    if (head !== undefined) this.#takeHead(head);
  }

  #queue(name: string): Queue {
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      queue = emptyQueue(name, sideOf(name, this.#sides), this.#isPartial);
      this.#queues.set(name, queue);
    }
    return queue;
  }

  #run(queue: Queue): void {
    while (queue.ready.length > 0 && !this.#stop.signal.aborted) {
      const chain = queue.ready[0]!;
      const bound = this.#bound.get(chain.rows[0]!.name);
      if (queue.running >= shareOf(bound, this.#id.lanes) || !this.#mayCall(queue.side)) return;
      queue.ready.shift();
      queue.running += 1;
      queue.side.breaker = begun(queue.side.breaker);
      if (queue.side.breaker.isProbing) goBehind(queue, this.#queues);
      this.#spawn(this.#attempt(queue, chain, bound));
    }
  }

  #runAll(): void {
    for (const queue of this.#queues.values()) this.#run(queue);
  }

  /** Whether this side is called now; if not, somebody comes back when it may be. */
  #mayCall(side: Side): boolean {
    const wait = waitMs(side.breaker, this.#world.monotonicMs());
    if (wait === 0) return true;
    if (wait === undefined || side.isWaiting) return false;
    side.isWaiting = true;
    this.#spawn(this.#comeBack(side, wait));
    return false;
  }

  async #comeBack(side: Side, wait: number): Promise<void> {
    await this.#world.sleep(wait, this.#stop.signal);
    side.isWaiting = false;
    this.#runAll();
  }

  /** Learns from an attempt whether the other side is there. */
  #hear(side: Side, chain: Chain, verdict: Verdict, isProbe: boolean): void {
    const wasOpen = side.breaker.opened > 0;
    side.breaker = heard(side.breaker, chain, verdict, isProbe, this.#world.monotonicMs());
    const isOpen = side.breaker.opened > 0;
    if (isOpen === wasOpen) return;
    const facts = { ...this.#id, queue: side.name, ...(verdict.kind === "again" ? { reason: verdict.reason } : {}) };
    if (isOpen) return this.#world.log("warn", "Calls to the outside fail and are held up, but for a few.", facts);
    this.#world.log("info", "Calls to the outside are answered again and go on.", facts);
    wakeAll(side, this.#queues.values());
  }

  async #attempt(queue: Queue, chain: Chain, bound: BoundEffect | undefined): Promise<void> {
    const row = chain.rows[0]!;
    const input: unknown = JSON.parse(row.input);
    const isProbe = queue.side.breaker.isProbing;
    const verdict = bound === undefined ? unbound(row) : await this.#call(chain, row, input, bound);
    queue.running -= 1;
    if (this.#stop.signal.aborted) return;
    this.#hear(queue.side, chain, verdict, isProbe);
    if (verdict.kind === "settled") {
      // The batch of its result deletes the row; a retry that is still owed must not bring it back.
      this.#retried.delete(row.id);
      this.#onResult(row, input, verdict.outcome);
    } else this.#again(queue, chain, row, verdict);
    this.#runAll();
  }

  async #call(chain: Chain, row: EffectRow, input: unknown, { type, adapter }: BoundEffect): Promise<Verdict> {
    if (type.atMostOnce && row.attempts === 0) {
      const marker = await this.#markBegun(chain, row);
      if (marker !== undefined) return marker;
    }
    const call = new Call(row);
    this.#calls.set(call, this.#world.monotonicMs() + (adapter.timeoutMs ?? timeoutMsDefault));
    this.#sweep();
    try {
      const lifted = upcast(`Effect ${row.name}`, type, row.schema, input);
      return await attemptEffect(type, adapter, row, lifted, chain.doubt, this.#store.nowMs(), call);
    } catch (error) {
      return { kind: "again", reason: messageOf(error), afterMs: undefined, doubt: false };
    } finally {
      this.#calls.delete(call);
    }
  }

  /** Before the only attempt of an at-most-once effect its beginning is made durable. */
  #begun: { row: EffectRow; done: () => void }[] = [];

  async #markBegun(chain: Chain, row: EffectRow): Promise<Verdict | undefined> {
    const begun = { ...row, attempts: 1, firstMs: this.#store.nowMs() };
    chain.rows[0] = begun;
    this.#retried.set(row.id, begun);
    const durable = new Promise<void>((done) => this.#begun.push({ row: begun, done }));
    this.#onOwed();
    await durable;
    return this.#stop.signal.aborted
      ? { kind: "again", reason: "closing", afterMs: undefined, doubt: true }
      : undefined;
  }

  /** Called when the rows of a `takeRetried` are durable. */
  wrote(rows: readonly EffectRow[]): void {
    if (rows.length === 0 || this.#begun.length === 0) return;
    const written = new Set(rows);
    this.#begun = this.#begun.filter(({ row, done }) => {
      if (!written.has(row)) return true;
      done();
      return false;
    });
  }

  #again(queue: Queue, chain: Chain, row: EffectRow, verdict: Verdict & { kind: "again" }): void {
    const next = triedAgain(row, verdict, this.#store.nowMs());
    chain.rows[0] = next;
    chain.doubt ||= verdict.doubt;
    this.#retried.set(row.id, next);
    this.#onOwed();
    this.#whenDue(queue, chain, verdict.afterMs !== undefined);
  }

  /** Rows whose attempts changed, to be written with the next commit. */
  takeRetried(): EffectRow[] {
    if (this.#retried.size === 0) return [];
    const rows = [...this.#retried.values()];
    this.#retried = new Map();
    return rows;
  }

  /** The results of these effects are durable: what stands behind each may run. */
  finished(keys: readonly EffectKey[]): void {
    for (const key of keys) {
      const queue = this.#queue(key.queue);
      const chain = queue.chains.get(chainName(key));
      if (chain === undefined || chain.rows[0]?.seq !== key.seq) continue;
      chain.rows.shift();
      chain.doubt = false;
      if (chain.rows.length > 0) queue.ready.push(chain);
      else if (chain.more) this.#spawn(this.#follow(queue, chain, key));
      else queue.chains.delete(chain.name);
    }
    this.#runAll();
    for (const queue of this.#queues.values())
      if (queue.unloaded && queue.chains.size < chainsMax / 2) this.#spawn(this.#load());
  }

  /** Loads what stands behind the last row that memory held of a chain. */
  async #follow(queue: Queue, chain: Chain, after: EffectKey): Promise<void> {
    do {
      chain.missed = false;
      const next = await this.#ask(() => this.#store.nextEffect(this.#id.service, after));
      if (this.#stop.signal.aborted) return;
      if (next !== undefined) {
        chain.rows.push(next);
        // Only the first of a chain is ever called, and this one was not.
        chain.doubt = false;
        return this.#whenDue(queue, chain);
      }
    } while (chain.missed);
    queue.chains.delete(chain.name);
  }

  /** Fills memory from the table with the heads that it does not hold, until it holds all, or no more fits. */
  async #load(): Promise<void> {
    if (this.#loading) return;
    this.#loading = true;
    try {
      for (let more = true; more && !this.#stop.signal.aborted;) {
        for (const queue of this.#queues.values()) queue.unloaded = false;
        const heads = await this.#ask(() =>
          this.#store.effectHeads(this.#id, Number.MAX_SAFE_INTEGER, page, this.#held()),
        );
        if (heads === undefined) return;
        const taken = heads.filter((row) => this.#takeHead(row)).length;
        // What was added meanwhile is in the table only, and perhaps not in what was read of it.
        const isBehind = [...this.#queues.values()].some((queue) => queue.unloaded && queue.chains.size < chainsMax);
        const isAll = heads.length < page;
        more = isAll ? isBehind : taken > 0;
        this.#isPartial = !isAll && taken === 0;
        if (this.#isPartial) for (const queue of this.#queues.values()) queue.unloaded = true;
      }
    } finally {
      this.#loading = false;
    }
    for (const queue of this.#queues.values()) this.#run(queue);
  }

  /** Asks the table until it answers: what is not known to be there would be passed. Undefined when the lane closes. */
  async #ask<T>(question: () => Promise<T>): Promise<T | undefined> {
    while (!this.#stop.signal.aborted) {
      try {
        return await question();
      } catch (error) {
        this.#world.log("warn", "Effects could not be looked up; it is tried again.", {
          ...this.#id,
          code: codeOf(error),
          error: messageOf(error),
        });
        await this.#world.sleep(lookUpAgainMs, this.#stop.signal);
      }
    }
    return undefined;
  }

  #held(): ReadonlySet<string> {
    const held = new Set<string>();
    for (const queue of this.#queues.values())
      for (const { rows } of queue.chains.values()) if (rows[0] !== undefined) held.add(rows[0].id);
    return held;
  }

  #takeHead(row: EffectRow): boolean {
    const queue = this.#queue(row.queue);
    const name = chainName(row);
    if (queue.chains.has(name)) return false;
    if (queue.chains.size >= chainsMax) {
      queue.unloaded = true;
      return false;
    }
    const mayHaveRun = row.seq < this.#firstSeq && (row.attempts > 0 || !this.#isAtMostOnce(row));
    const chain: Chain = { name, rows: [row], more: true, missed: false, doubt: mayHaveRun };
    queue.chains.set(name, chain);
    this.#whenDue(queue, chain);
    return true;
  }

  /** Such a row that was begun says so. */
  #isAtMostOnce(row: EffectRow): boolean {
    return this.#bound.get(row.name)?.type.atMostOnce === true;
  }

  /** Makes a chain ready when its first row's time has come, or it is woken because it waits only for a side that failed. */
  #whenDue(queue: Queue, chain: Chain, isAsked = false): void {
    const wait = chain.rows[0]!.dueMs - this.#store.nowMs();
    let isReady = false;
    const ready = () => {
      if (isReady) return;
      isReady = true;
      chain.wake = undefined;
      queue.ready.push(chain);
      this.#run(queue);
    };
    if (wait <= 0) return ready();
    if (!isAsked) chain.wake = ready;
    this.#spawn(this.#world.sleep(wait, this.#stop.signal).then(ready));
  }

  /** Ends calls that have had their time; looks once a second while any is under way. */
  #sweep(): void {
    if (this.#sweeping) return;
    this.#sweeping = true;
    this.#spawn(
      (async () => {
        while (this.#calls.size > 0 && !this.#stop.signal.aborted) {
          await this.#world.sleep(1_000, this.#stop.signal);
          const nowMs = this.#world.monotonicMs();
          for (const [call, deadline] of this.#calls) if (deadline <= nowMs) call.abort("The call took too long.");
        }
        this.#sweeping = false;
      })(),
    );
  }

  #spawn(work: Promise<void>): void {
    const kept = work.catch((error: unknown) => {
      this.#world.log("error", "An effect could not be looked up; it is taken up again at the next claim.", {
        ...this.#id,
        error: messageOf(error),
      });
    });
    this.#background.add(kept);
    void kept.finally(() => this.#background.delete(kept));
  }

  /** Effects in memory that have no outcome yet. */
  get waiting(): number {
    let count = 0;
    for (const queue of this.#queues.values()) count += queue.chains.size;
    return count;
  }

  /** Queues, by what they begin with, whose calls are held up because the other side does not answer. */
  get heldUp(): readonly string[] {
    return [...this.#sides.values()].filter(({ breaker }) => breaker.opened > 0).map(({ name }) => name);
  }

  /** Stops. Calls under way are cut off; their outcome is asked for by the next owner. */
  async close(): Promise<void> {
    this.#stop.abort();
    for (const call of this.#calls.keys()) call.abort("The lane is closing.");
    for (const { done } of this.#begun) done();
    await Promise.all(this.#background);
  }
}
