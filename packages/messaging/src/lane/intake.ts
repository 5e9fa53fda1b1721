import type { StoredMessage } from "../message.ts";
import type { Outcome } from "../service.ts";
import type { EffectRow, LaneId, ParkedInput, Store } from "../store.ts";
import type { Inbox } from "./inbox.ts";
import { parkedInput, resultInput, timerInput, type Input } from "./input.ts";
import type { Parking } from "./parking.ts";

/** How many inputs of a parked key are looked at, and so counted, at once; above what a key may hold. */
const parkedPage = 2_048;

/** What the next batch holds: inputs of the lane's own first, then messages. */
export interface Gathered {
  readonly inputs: readonly Input[];
  readonly messages: readonly StoredMessage[];
}

/** The ids of what a batch holds, in the order in which it is handled. */
export function idsOf({ inputs, messages }: Gathered): readonly string[] {
  return [...inputs, ...messages].map(({ id }) => id);
}

/** Where a lane's inputs come from, and in which order they are taken. */
export class Intake {
  readonly #id: LaneId;
  readonly #store: Store;
  readonly #inbox: Inbox;
  readonly #parking: Parking;
  readonly #results: { row: EffectRow; input: unknown; outcome: Outcome<unknown> }[] = [];
  readonly #redriven = new Map<string, string | undefined>();
  /** No timer is due before this; it may be earlier than the earliest. */
  #nextTimerMs: number;

  constructor(options: { id: LaneId; store: Store; inbox: Inbox; parking: Parking; nextTimerMs: number | undefined }) {
    this.#id = options.id;
    this.#store = options.store;
    this.#inbox = options.inbox;
    this.#parking = options.parking;
    this.#nextTimerMs = options.nextTimerMs ?? Infinity;
  }

  addResult(row: EffectRow, input: unknown, outcome: Outcome<unknown>): void {
    this.#results.push({ row, input, outcome });
  }

  /** Takes a parked key up again with the next batch, its first input with another body if one is given. */
  redrive(key: string, body: string | undefined): void {
    this.#redriven.set(key, body);
  }

  timerSet(dueMs: number): void {
    this.#nextTimerMs = Math.min(this.#nextTimerMs, dueMs);
  }

  /**
   * The inputs of the next batch: what was begun is finished first, then what is due, then what is tried again, then
   * what is new. A quarter of a batch is kept for messages, so that nothing that repeats itself can shut them out.
   */
  async gather(limit: number, bytes: number, timeMs: number, nowMs: number): Promise<Gathered> {
    const inputs: Input[] = [];
    const first = Math.max(1, limit - Math.floor(limit / 4));
    for (const { row, input, outcome } of this.#results.splice(0, first)) {
      inputs.push(resultInput(row, input, outcome, nowMs));
    }
    if (this.#nextTimerMs <= timeMs && inputs.length < first) await this.#gatherTimers(inputs, timeMs, first);
    if (this.#parking.size > 0 && inputs.length < first) await this.#gatherRedriven(inputs, nowMs, first);
    return { inputs, messages: inputs.length < limit ? this.#inbox.take(limit - inputs.length, bytes) : [] };
  }

  async #gatherTimers(inputs: Input[], timeMs: number, first: number): Promise<void> {
    const limit = first - inputs.length;
    const rows = await this.#store.timers(this.#id, timeMs, limit + this.#parking.size);
    // That of a parked entity stays where it is: what is in front of it may clear it.
    const free = rows.filter(({ key }) => this.#parking.get(key) === undefined);
    for (const row of free.slice(0, limit)) inputs.push(timerInput(row));
    if (rows.length === 0) this.#nextTimerMs = (await this.#store.nextTimer(this.#id)) ?? Infinity;
  }

  async #gatherRedriven(inputs: Input[], nowMs: number, first: number): Promise<void> {
    for (const key of new Set([...this.#redriven.keys(), ...this.#parking.ready(nowMs)])) {
      const parked = this.#parking.get(key);
      const edited = this.#redriven.get(key);
      this.#redriven.delete(key);
      if (parked === undefined) continue;
      const rows = await this.#store.parked(this.#id.service, parked.partition, key, 0, parkedPage);
      this.#parking.count(key, rows.length);
      const room = first - inputs.length;
      const begin = room >= rows.length || parked.dueMs === undefined ? 0 : turnOf(rows, parked.attempts);
      for (const [index, row] of rows.slice(begin, begin + room).entries()) {
        inputs.push(parkedInput(row, begin + index === 0 ? edited : undefined));
      }
      if (inputs.length >= first) return;
    }
  }

  /** When something falls due by itself. A timer that only lane time holds back waits for what is unread instead. */
  nextDueMs(nowMs: number): number {
    const timerMs = this.#nextTimerMs > nowMs ? this.#nextTimerMs : Infinity;
    return Math.min(timerMs, this.#parking.nextDueMs() ?? Infinity);
  }
}

/**
 * Where to begin in a queue that only waits and does not fit into a batch: at its head, or, in turns, at what may pass it,
 * for that may be what the head waits for.
 */
function turnOf(rows: readonly ParkedInput[], attempts: number): number {
  const topics = new Set<string | undefined>();
  const starts: number[] = [];
  for (const [at, row] of rows.entries()) {
    const { topic } = JSON.parse(row.origin) as { topic?: string };
    if (at === 0 || (row.kind !== "timer" && !topics.has(topic))) starts.push(at);
    topics.add(topic);
  }
  return starts[attempts % starts.length]!;
}
