import { codeOf } from "../errors.ts";
import { bodyBytes, type Position, type StoredMessage } from "../message.ts";
import type { Fetched, Reader } from "../transport.ts";
import type { World } from "../world.ts";

/** What a feed keeps for the slowest that read along; who lags further reads alone. */
export interface FeedLimits {
  readonly keptMessages: number;
  readonly keptBytes: number;
}

/** Somebody who reads along. */
export interface Listener {
  /** The count of the message that comes next. */
  at: number;
  /** Called when the log has answered, be it with a failure. */
  hear(): void;
}

const pageLimits = { messages: 2_048, bytes: 2_097_152, waitMs: 10_000 };

/** What one fetch brought. */
export interface Page {
  /** The count of its first message. */
  readonly begin: number;
  readonly messages: readonly StoredMessage[];
  /** Of each body, in bytes. */
  readonly sizes: readonly number[];
  readonly bytes: number;
}

/** An end that was told longer ago than a fetch waits is none any more: the process was held meanwhile. */
const endKnownMs = 12_000;

const none: ReadonlySet<number> = new Set();

/** One topic, all partitions of it, read once for all in this process that keep up with it. Messages are counted from 0. */
export class Feed {
  readonly listeners = new Set<Listener>();
  /** The count of the first message that is kept. */
  begin = 0;
  /** The count behind the last message. */
  end = 0;
  /** How often its broker could not be reached, and what it said last. */
  failures = 0;
  error: unknown;
  /** The log cannot be read on from here; whoever reads alone learns why. */
  over = false;
  readonly #reader: Reader;
  readonly #world: Pick<World, "monotonicMs">;
  readonly #limits: FeedLimits;
  readonly #stop = new AbortController();
  /** By partition: all messages from this offset on came, or come, by here. */
  readonly #from: number[];
  /** By partition: how far the log was read. */
  readonly #covered: Position[];
  readonly #pages: Page[] = [];
  #bytes = 0;
  #atEnd = none;
  #answeredMs = -Infinity;
  #fetching: Promise<void> | undefined;

  constructor(
    reader: Reader,
    from: readonly Position[],
    options: { readonly world: Pick<World, "monotonicMs">; readonly limits: FeedLimits },
  ) {
    this.#reader = reader;
    this.#covered = [...from];
    this.#from = from.map(({ nextOffset }) => nextOffset);
    this.#world = options.world;
    this.#limits = options.limits;
  }

  /** What brought the message of this count, which is one that is kept. */
  pageOf(count: number): Page {
    return this.#pages.findLast(({ begin }) => begin <= count)!;
  }

  covered(partition: number): Position {
    return this.#covered[partition]!;
  }

  /** Whether whoever has taken everything has read this partition to its end. */
  isAtEnd(partition: number): boolean {
    return this.#atEnd.has(partition) && this.#world.monotonicMs() - this.#answeredMs < endKnownMs;
  }

  /** Whether everything behind this position comes, or is still, here. */
  reaches({ partition, logId, nextOffset }: Position): boolean {
    const from = this.#from[partition];
    if (this.over || from === undefined || from > nextOffset) return false;
    // A log that never held anything told no reader its name.
    return logId === "" || logId === this.#covered[partition]!.logId;
  }

  /** Asks the log for more, unless it is asked already. */
  want(): void {
    if (this.over) return;
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = undefined;
      for (const listener of this.listeners) listener.hear();
    });
  }

  async #fetch(): Promise<void> {
    this.#forget();
    try {
      this.#keep(await this.#reader.fetch(pageLimits, this.#stop.signal));
    } catch (error) {
      this.#atEnd = none;
      this.error = error;
      if (codeOf(error) === "TRANSPORT_UNAVAILABLE") this.failures += 1;
      else this.over = true;
    }
  }

  #keep({ messages, next, atEnd }: Fetched): void {
    if (messages.length > 0) {
      const sizes = messages.map(({ body }) => bodyBytes(body));
      const bytes = sizes.reduce((sum, size) => sum + size, 0);
      this.#pages.push({ begin: this.end, messages, sizes, bytes });
      this.end += messages.length;
      this.#bytes += bytes;
    }
    for (const position of next) this.#covered[position.partition] = position;
    this.#atEnd = new Set(atEnd.map(({ partition }) => partition));
    this.#answeredMs = this.#world.monotonicMs();
  }

  /** Lets go of what everybody has taken, and of the oldest beyond the limits. */
  #forget(): void {
    const { keptMessages, keptBytes } = this.#limits;
    let until = this.end;
    for (const { at } of this.listeners) until = Math.min(until, at);
    while (this.#pages.length > 0) {
      const [{ begin, messages, bytes }] = this.#pages as [Page];
      const end = begin + messages.length;
      if (end > until && this.end - begin <= keptMessages && this.#bytes <= keptBytes) return;
      for (const { partition, offset } of messages) this.#from[partition] = offset + 1;
      this.#pages.shift();
      this.#bytes -= bytes;
      this.begin = end;
    }
  }

  async close(): Promise<void> {
    this.over = true;
    this.#stop.abort();
    for (const listener of this.listeners) listener.hear();
    await this.#fetching;
    await this.#reader[Symbol.asyncDispose]();
  }
}
