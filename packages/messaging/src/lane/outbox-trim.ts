import type { LaneId, SentRow, Store } from "../store.ts";
import { nameOf } from "./sender.ts";

const trimEveryMs = 30_000;

/** Deletes confirmed messages from the outbox, in ranges, when their grace is over. */
export class OutboxTrim {
  readonly #id: LaneId;
  readonly #store: Store;
  readonly #graceMs: number;
  readonly #confirmed: { readonly atMs: number; readonly row: SentRow }[] = [];
  #trimmedMs = 0;

  constructor(id: LaneId, store: Store, graceMs: number) {
    this.#id = id;
    this.#store = store;
    this.#graceMs = graceMs;
  }

  /** Notes what was confirmed, and now and then deletes what has been so for long enough. */
  async confirmed(sent: readonly SentRow[], nowMs: number): Promise<void> {
    for (const row of sent) this.#confirmed.push({ atMs: nowMs, row });
    if (nowMs - this.#trimmedMs < trimEveryMs) return;
    this.#trimmedMs = nowMs;
    const old = new Map<string, SentRow>();
    while (this.#confirmed[0] !== undefined && this.#confirmed[0].atMs < nowMs - this.#graceMs) {
      const { row } = this.#confirmed.shift()!;
      old.set(nameOf(row), row);
    }
    if (old.size > 0) await this.#store.trimOutbox(this.#id, [...old.values()]);
  }
}
