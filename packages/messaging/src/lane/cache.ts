import { upcast } from "../contract.ts";
import { codeOf, WaybillError } from "../errors.ts";
import type { StateKind, StateRef } from "../service.ts";
import type { LaneId, StateRow } from "../store.ts";

/** A state as its owner holds it. `version` 0: not stored; `value` undefined: absent or deleted. */
export interface Entry {
  readonly ref: StateRef<unknown>;
  value: unknown;
  version: number;
  home: number;
  /** Its size as JSON when it was last read or written. */
  bytes: number;
  /** Why what is stored could not be lifted to this build's version. */
  readonly unreadable?: unknown;
  /** Which draft it was lent to last: only that one's handler may save it. */
  lentTo: number;
}

/**
 * The states of a lane, absent ones too, so that what was looked up once is not asked for again. Two generations:
 * when the young one is full it becomes the old one, and what is touched moves back. They change places between
 * batches only (`age`), so that nothing which a batch has changed is forgotten before it is committed; memory is
 * bounded by twice `entriesMax` and one batch.
 */
export class StateCache {
  readonly #id: LaneId;
  readonly #entriesMax: number;
  readonly #bytesMax: number;
  readonly #kinds = new Map<StateKind<unknown>, Generations>();
  #size = 0;
  #bytes = 0;

  constructor(id: LaneId, limits: { readonly cachedStates: number; readonly cachedBytes: number }) {
    this.#id = id;
    this.#entriesMax = limits.cachedStates;
    this.#bytesMax = limits.cachedBytes;
  }

  get(ref: StateRef<unknown>): Entry | undefined {
    const kind = this.#kinds.get(ref.of);
    if (kind === undefined) return undefined;
    const young = kind.young.get(ref.id);
    if (young !== undefined) return young;
    const old = kind.old.get(ref.id);
    if (old !== undefined) this.#keep(old);
    return old;
  }

  /** Takes over what the store has of these keys; those without a row are kept as absent. */
  fill(missing: ReadonlyMap<string, StateRef<unknown>>, rows: readonly StateRow[]): void {
    const found = new Map<string, StateRow>();
    for (const row of rows) found.set(`${row.kind}\n${row.id}`, row);
    for (const [key, ref] of missing) this.#keep(entryOf(ref, found.get(key), this.#id));
  }

  /** Called between batches. @param grownBytes by how much the last one made states larger, as JSON. */
  age(grownBytes: number): void {
    this.#bytes += grownBytes;
    if (this.#size < this.#entriesMax && this.#bytes < this.#bytesMax) return;
    this.#size = 0;
    this.#bytes = 0;
    for (const kind of this.#kinds.values()) {
      kind.old = kind.young;
      kind.young = new Map();
    }
  }

  #keep(entry: Entry): void {
    const { of, id } = entry.ref;
    let kind = this.#kinds.get(of);
    if (kind === undefined) {
      kind = { young: new Map(), old: new Map() };
      this.#kinds.set(of, kind);
    }
    kind.young.set(id, entry);
    this.#size += 1;
    this.#bytes += entry.bytes;
  }
}

interface Generations {
  young: Map<string, Entry>;
  old: Map<string, Entry>;
}

export function cacheKey(ref: StateRef<unknown>): string {
  return `${ref.of.kind}\n${ref.id}`;
}

function entryOf(ref: StateRef<unknown>, row: StateRow | undefined, id: LaneId): Entry {
  if (row === undefined) return { ref, value: undefined, version: 0, home: -1, bytes: 0, lentTo: 0 };
  const home = row.home % id.lanes === id.lane ? row.home : ~row.home;
  const entry = { ref, value: undefined, version: row.version, home, bytes: row.body.length, lentTo: 0 };
  try {
    return { ...entry, value: upcast(`State ${row.kind} ${row.id}`, ref.of, row.schema, JSON.parse(row.body)) };
  } catch (error) {
    // A newer build's state sends the lane back; what this build's own upcast cannot lift fails whoever asks for it.
    if (codeOf(error) === "LEVEL_TOO_LOW") throw error;
    return { ...entry, unreadable: error };
  }
}

/** Throws when another lane owns the state, or nobody can read it. `input` names who asked. */
export function assertOwned(entry: Entry, id: LaneId, input: { subject: string; partition: number }): void {
  if (entry.unreadable !== undefined) throw entry.unreadable;
  if (entry.version === 0 || entry.home >= 0) return;
  const home = ~entry.home;
  throw new WaybillError(
    "STATE_ELSEWHERE",
    `State ${entry.ref.of.kind} ${entry.ref.id} belongs to lane ${home % id.lanes} of ${id.service} (partition ${home}); ` +
      `${input.subject} is handled by lane ${id.lane} (partition ${input.partition}). Ask for it by a message, or give the service one lane.`,
    { details: { state: entry.ref.id, home, subject: input.subject, partition: input.partition } },
  );
}
