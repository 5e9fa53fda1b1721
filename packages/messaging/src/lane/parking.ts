import { codeOf, messageOf, WaybillError } from "../errors.ts";
import type { ParkedKey } from "../store.ts";
import type { Input } from "./input.ts";

export interface ParkingLimits {
  /** Keys parked at once in a lane. */
  readonly keysMax: number;
  /** Inputs that may queue behind one parked key. */
  readonly inputsMax: number;
}

/** After how long an entity that was set aside by `notYet` is tried again, by attempt. */
const notYetBackoffMs = [100, 1_000, 10_000, 60_000] as const;

/** How many of the last inputs are looked at to tell an outage from an exception, and how few failures never count. */
const windowInputs = 1_000;
const failingKeysMin = 32;

/**
 * The keys that a lane has set aside. The lane is the only writer, so what it holds in memory is what is stored.
 * Whatever comes for a parked key goes to the end of its queue; every other key flows on.
 */
export class Parking {
  readonly #limits: ParkingLimits;
  readonly #build: string;
  readonly #keys = new Map<string, ParkedKey>();
  /** How many inputs a key holds, where this life of the lane has counted them. */
  readonly #counts = new Map<string, number>();
  readonly #recent: { key: string; failed: boolean }[] = [];
  #recentAt = 0;

  constructor(limits: ParkingLimits, build: string, keys: readonly ParkedKey[]) {
    this.#limits = limits;
    this.#build = build;
    for (const key of keys) this.#keys.set(key.key, key);
  }

  get size(): number {
    return this.#keys.size;
  }

  get(key: string): ParkedKey | undefined {
    return this.#keys.get(key);
  }

  counted(key: string): boolean {
    return this.#counts.has(key);
  }

  count(key: string, inputs: number): void {
    this.#counts.set(key, inputs);
  }

  /** Notes that one more input lies behind a parked key. Throws PARKING_FULL, and the lane then stops. */
  add(key: string): void {
    const inputs = (this.#counts.get(key) ?? 0) + 1;
    if (inputs > this.#limits.inputsMax) {
      throw new WaybillError(
        "PARKING_FULL",
        `More than ${this.#limits.inputsMax} inputs wait behind the parked key "${key}".`,
      );
    }
    this.#counts.set(key, inputs);
  }

  remove(key: string): number {
    const left = (this.#counts.get(key) ?? 1) - 1;
    this.#counts.set(key, left);
    return left;
  }

  release(key: string): void {
    this.#keys.delete(key);
    this.#counts.delete(key);
  }

  /** Sets a key aside for a failure: it waits for another build or for a person. */
  failed(input: Input, partition: number, error: unknown, nowMs: number): ParkedKey {
    return this.#park(input, partition, nowMs, {
      fingerprint: `${codeOf(error) ?? errorName(error)} ${input.kind} ${input.type}`,
      error: messageOf(error).slice(0, 2_000),
      dueMs: undefined,
    });
  }

  /** Sets a key aside for a moment: what must come before has not come. */
  notYet(input: Input, partition: number, reason: string, nowMs: number): ParkedKey {
    const attempts = this.#keys.get(parkingKey(input))?.attempts ?? 0;
    const wait = notYetBackoffMs[Math.min(attempts, notYetBackoffMs.length - 1)]!;
    return this.#park(input, partition, nowMs, {
      fingerprint: `NOT_YET ${input.kind} ${input.type}`,
      error: reason.slice(0, 2_000),
      dueMs: nowMs + wait,
    });
  }

  /** Lets a parked key be tried again at once. */
  hurry(key: string, nowMs: number): ParkedKey {
    const hurried = { ...this.#keys.get(key)!, dueMs: nowMs };
    this.#keys.set(key, hurried);
    return hurried;
  }

  #park(
    input: Input,
    partition: number,
    nowMs: number,
    why: { fingerprint: string; error: string; dueMs: number | undefined },
  ): ParkedKey {
    const key = parkingKey(input);
    const before = this.#keys.get(key);
    if (before === undefined && this.#keys.size >= this.#limits.keysMax) {
      throw new WaybillError(
        "PARKING_FULL",
        `More than ${this.#limits.keysMax} keys of this lane are parked; the last: ${why.error}`,
      );
    }
    const parked: ParkedKey = {
      partition: before?.partition ?? partition,
      key,
      sinceMs: before?.sinceMs ?? nowMs,
      attempts: (before?.attempts ?? 0) + 1,
      build: this.#build,
      ...why,
    };
    this.#keys.set(key, parked);
    return parked;
  }

  /** Keys to try again now: those whose moment has come, and one that another build had parked, the oldest first. */
  ready(nowMs: number): readonly string[] {
    if (this.#keys.size === 0) return [];
    const due: string[] = [];
    let canary: ParkedKey | undefined;
    for (const parked of this.#keys.values()) {
      if (parked.dueMs !== undefined && parked.dueMs <= nowMs) due.push(parked.key);
      else if (parked.dueMs === undefined && parked.build !== this.#build) {
        if (canary === undefined || parked.sinceMs < canary.sinceMs) canary = parked;
      }
    }
    if (canary !== undefined) due.push(canary.key);
    return due;
  }

  /** When the next key wants to be tried again by itself. */
  nextDueMs(): number | undefined {
    let next: number | undefined;
    for (const { dueMs, build } of this.#keys.values()) {
      const at = dueMs ?? (build === this.#build ? undefined : 0);
      if (at !== undefined && (next === undefined || at < next)) next = at;
    }
    return next;
  }

  /** Notes how an input went; throws MOST_KEYS_FAIL when most keys of the last inputs failed. */
  went(key: string, failed: boolean): void {
    this.#recent[this.#recentAt] = { key, failed };
    this.#recentAt = (this.#recentAt + 1) % windowInputs;
    if (!failed) return;
    const failing = new Set<string>();
    const seen = new Set<string>();
    for (const recent of this.#recent) {
      seen.add(recent.key);
      if (recent.failed) failing.add(recent.key);
    }
    if (failing.size >= failingKeysMin && failing.size * 2 > seen.size) {
      throw new WaybillError(
        "MOST_KEYS_FAIL",
        `${failing.size} of the last ${seen.size} keys failed: an outage or a bad build.`,
        {
          details: { failing: failing.size, seen: seen.size },
        },
      );
    }
  }
}

/** What an input is parked under: its entity, or its own position when nothing in it can be read. */
export function parkingKey(input: Input): string {
  if (input.malformed === undefined) return input.subject;
  return `${input.topic}/${input.partition}/${input.offset}`;
}

function errorName(error: unknown): string {
  return error instanceof Error ? error.name : "Error";
}
