import type { LaneId, SentRow, Store } from "../store.ts";
import { nameOf } from "./sender.ts";

/** Deletes confirmed messages from the outbox, in ranges, when their grace is over. */
export class OutboxTrim {
  readonly #id: LaneId;
  readonly #store: Store;
  readonly #graceMs: number;
  /** How far each destination is confirmed: since the last turn, and as of it. */
  #young = new Map<string, SentRow>();
  #old = new Map<string, SentRow>();
  #turnedMs = 0;

  constructor(id: LaneId, store: Store, graceMs: number) {
    this.#id = id;
    this.#store = store;
    this.#graceMs = graceMs;
  }

  /** Notes what was confirmed, and now and then deletes what has been so for long enough. */
  async confirmed(sent: readonly SentRow[], nowMs: number): Promise<void> {
    for (const row of sent) this.#young.set(nameOf(row), row);
    if (nowMs - this.#turnedMs < this.#graceMs) return;
    this.#turnedMs = nowMs;
    const due = this.#old;
    this.#old = this.#young;
    this.#young = new Map();
    if (due.size > 0) await this.#store.trimOutbox(this.#id, [...due.values()]);
  }
}
