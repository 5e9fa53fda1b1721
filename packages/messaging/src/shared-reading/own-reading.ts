import type { Position, StoredMessage } from "../message.ts";
import type { Fetched, FetchLimits, Reader, Transport } from "../transport.ts";

const nothing: Fetched = { messages: [], next: [], atEnd: [] };

/** What a reader reads by itself: one fetch under way at a time, and what it brought until all of it is taken. */
export class OwnReading {
  readonly topics: ReadonlySet<string>;
  fetched: Fetched = nothing;
  /** What is left to take of the messages that it brought. */
  left: readonly StoredMessage[] = [];
  /** The topics that the last fetch asked for. */
  asked: readonly string[] = [];
  #held: ReadonlySet<string> = new Set();
  #error: unknown;
  readonly #reader: Reader;
  readonly #onAnswer: () => void;
  #stop = new AbortController();
  #fetching: Promise<void> | undefined;

  constructor(transport: Transport, from: readonly Position[], onAnswer: () => void) {
    this.topics = new Set(from.map(({ topic }) => topic));
    this.#reader = transport.reader(from);
    this.#onAnswer = onAnswer;
  }

  get isDrained(): boolean {
    return this.left.length === 0;
  }

  /** Whether something that it brought of the topic is left to take. */
  holds(topic: string): boolean {
    return this.#held.has(topic);
  }

  /** What is left to take from now on. */
  keep(left: readonly StoredMessage[]): void {
    this.left = left;
    this.#held = new Set(left.map((message) => message.topic));
  }

  get hasFailed(): boolean {
    return this.#error !== undefined;
  }

  /** Throws, once, what the last fetch failed with. */
  throwFailure(): void {
    const error = this.#error;
    this.#error = undefined;
    if (error !== undefined) throw error;
  }

  get isIdle(): boolean {
    return this.#fetching === undefined && this.#error === undefined && this.isDrained;
  }

  /** Begins a fetch, unless one with the same exceptions is under way or what the last one brought is not taken. */
  ask(limits: FetchLimits): void {
    const wanted = [...this.topics].filter((topic) => limits.except?.has(topic) !== true);
    if (wanted.length === 0) return;
    if (this.#fetching !== undefined) {
      // It waits for others than are wanted now; what it brings is taken before the next one.
      if (wanted.join() !== this.asked.join()) this.#stop.abort();
      return;
    }
    if (!this.isDrained || this.#error !== undefined) return;
    this.asked = wanted;
    this.#stop = new AbortController();
    this.#fetching = this.#fetch(limits).finally(() => {
      this.#fetching = undefined;
      this.#onAnswer();
    });
  }

  async #fetch(limits: FetchLimits): Promise<void> {
    try {
      this.#brought(await this.#reader.fetch(limits, this.#stop.signal));
    } catch (error) {
      this.#error = error;
    }
  }

  /** Fetches without waiting for what is not there, in the name of one call. */
  async now(limits: FetchLimits, signal: AbortSignal): Promise<void> {
    await this.settle();
    if (!this.isDrained || this.#error !== undefined) return;
    this.asked = [...this.topics].filter((topic) => limits.except?.has(topic) !== true);
    this.#brought(await this.#reader.fetch(limits, signal));
  }

  #brought(fetched: Fetched): void {
    this.fetched = fetched;
    this.keep(fetched.messages);
  }

  /** Ends the fetch under way; what it brought is there then. */
  async settle(): Promise<void> {
    this.#stop.abort();
    await this.#fetching;
  }

  async close(): Promise<void> {
    await this.settle();
    await this.#reader[Symbol.asyncDispose]();
  }
}
