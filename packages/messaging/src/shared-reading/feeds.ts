import type { Position, TopicPartition } from "../message.ts";
import type { Transport } from "../transport.ts";
import type { World } from "../world.ts";
import { Feed, type FeedLimits, type Listener } from "./feed.ts";

/** What shared reading is given, and its limits. */
export interface FeedsOptions {
  readonly world: Pick<World, "monotonicMs" | "sleep">;
  readonly limits?: Partial<FeedLimits>;
}

const limitsDefault: FeedLimits = { keptMessages: 8_192, keptBytes: 4_194_304 };

/** The feeds of a process on one transport: one for each topic of which its readers together read a partition twice. */
export class Feeds {
  readonly world: FeedsOptions["world"];
  readonly #transport: Transport;
  readonly #limits: FeedLimits;
  readonly #feeds = new Map<string, Feed>();
  readonly #opening = new Map<string, Promise<void>>();
  /** How many readers read a topic's partitions, each by its number. */
  readonly #readers = new Map<string, number[]>();
  #closed = false;

  constructor(transport: Transport, { world, limits }: FeedsOptions) {
    this.#transport = transport;
    this.world = world;
    this.#limits = { ...limitsDefault, ...limits };
  }

  /** Counts a reader of these partitions in, or out. */
  count(partitions: Iterable<TopicPartition>, by: 1 | -1): void {
    for (const { topic, partition } of partitions) {
      const readers = this.#readers.get(topic) ?? [];
      readers[partition] = (readers[partition] ?? 0) + by;
      this.#readers.set(topic, readers);
    }
  }

  /**
   * The topic's feed, if it reaches back to these positions. Where there is none it is opened as soon as as many partitions are read
   * by this process as there are: to read all of them is not more work then. `opened` is called when it may be asked for.
   */
  reaching(topic: string, positions: Iterable<Position>, opened: () => void): Feed | undefined {
    const feed = this.#feeds.get(topic);
    if (feed?.over === true) this.#drop(topic, feed);
    else if (feed !== undefined) return [...positions].every((one) => feed.reaches(one)) ? feed : undefined;
    else if (this.#isShared(topic) && !this.#opening.has(topic) && !this.#closed) {
      this.#opening.set(
        topic,
        this.#open(topic)
          .catch(() => false)
          .then((isOpen) => {
            this.#opening.delete(topic);
            if (isOpen) opened();
          }),
      );
    }
    return undefined;
  }

  /** Whether more than one reads some partition of it. */
  #isShared(topic: string): boolean {
    return this.#readers.get(topic)?.some((count) => count > 1) ?? false;
  }

  async #open(topic: string): Promise<boolean> {
    const readers = this.#readers.get(topic) ?? [];
    const sum = readers.reduce((all, count) => all + (count ?? 0), 0);
    const bounds = await this.#transport.bounds(topic);
    if (sum < bounds.length || this.#closed) return false;
    const from = bounds.map(({ partition, logId, nextOffset }) => ({ topic, partition, logId, nextOffset }));
    this.#feeds.set(topic, new Feed(this.#transport.reader(from), from, { world: this.world, limits: this.#limits }));
    return true;
  }

  /** Leaves a feed; with the last one it is closed. */
  leave(topic: string, feed: Feed, listener: Listener): void {
    feed.listeners.delete(listener);
    if (feed.listeners.size === 0) this.#drop(topic, feed);
  }

  #drop(topic: string, feed: Feed): void {
    if (this.#feeds.get(topic) === feed) this.#feeds.delete(topic);
    // A reader that cannot be closed is one whose broker is away.
    feed.close().catch(() => undefined);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#opening.values());
    await Promise.all(Array.from(this.#feeds.values(), (feed) => feed.close()));
    this.#feeds.clear();
  }
}
