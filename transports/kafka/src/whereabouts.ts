import type { Cluster } from "./cluster.ts";
import type { Cursor } from "./cursor.ts";
import { asWaybillError } from "./errors.ts";
import { earliest, latest, offsetsAt, whileElecting } from "./offsets.ts";

/** How soon a leader is looked for again. */
const lookMs = 50;

/** Which brokers lead a reader's partitions, and what has become of those that are no longer where they were. */
export class Whereabouts {
  readonly #cluster: Cluster;
  readonly #cursors: readonly Cursor[];
  readonly #onNews: () => void;
  readonly #settling = new Set<string>();
  #byLeader: ReadonlyMap<number, readonly Cursor[]> | undefined;
  #lostSinceMs: number | undefined;
  #looking = false;
  #notBeforeMs = 0;
  #trouble: unknown;

  /** `onNews` is called whenever something is known that was not. */
  constructor(cluster: Cluster, cursors: readonly Cursor[], onNews: () => void) {
    this.#cluster = cluster;
    this.#cursors = cursors;
    this.#onNews = onNews;
  }

  /** The partitions that are found, by the number of their broker. */
  get byLeader(): ReadonlyMap<number, readonly Cursor[]> {
    if (this.#byLeader !== undefined) return this.#byLeader;
    const found = this.#cursors.filter(({ leader }) => leader >= 0);
    this.#byLeader = Map.groupBy(found, ({ leader }) => leader);
    return this.#byLeader;
  }

  /** Something that went wrong and passes; it is told once. */
  note(trouble: unknown): void {
    this.#trouble ??= trouble;
  }

  takeTrouble(): unknown {
    const trouble = this.#trouble;
    this.#trouble = undefined;
    return trouble;
  }

  /** The partition is not where it was thought to be. */
  moved(cursor: Cursor): void {
    this.#cluster.forget(cursor.topic);
    cursor.leader = -1;
    this.#byLeader = undefined;
  }

  /** The connection to a broker is lost: it may come back without the end of its logs, or another takes its place. */
  lost(leader: number, error: unknown): void {
    this.note(error);
    // The brokers go on naming one that is gone for a while; it need not be asked again and again.
    this.#notBeforeMs = performance.now() + lookMs;
    for (const cursor of this.byLeader.get(leader) ?? []) {
      cursor.compareAgain();
      cursor.forgetEnd();
      this.moved(cursor);
    }
  }

  /** Begins to look for partitions whose leader is not known. */
  find(wanted: readonly Cursor[]): void {
    if (this.#looking) return;
    if (performance.now() < this.#notBeforeMs) return this.#lookLater();
    const lost = wanted.filter(isLost);
    if (lost.length === 0) {
      this.#lostSinceMs = undefined;
      return;
    }
    this.#looking = true;
    const topics = [...Map.groupBy(lost, ({ topic }) => topic)];
    void Promise.all(topics.map(([topic, cursors]) => this.#find(topic, cursors))).then(() => {
      this.#byLeader = undefined;
      const still = lost.find(isLost);
      if (still !== undefined) this.#complain(still);
      setTimeout(() => this.#looked(), still === undefined ? 0 : lookMs);
    });
  }

  #lookLater(): void {
    this.#looking = true;
    setTimeout(() => this.#looked(), lookMs);
  }

  #looked(): void {
    this.#looking = false;
    this.#onNews();
  }

  async #find(topic: string, cursors: readonly Cursor[]): Promise<void> {
    try {
      const place = await this.#cluster.topic(topic);
      const isOther = cursors.some(({ position }) => position.logId !== "" && position.logId !== place.id);
      const sure = isOther ? await this.#cluster.look(topic) : place;
      for (const cursor of cursors) cursor.locate(sure);
      if (cursors.some(isLost)) this.#cluster.forget(topic);
    } catch (error) {
      const failure = asWaybillError(error, "Kafka cannot be read from");
      if (failure.code === "TRANSPORT_UNAVAILABLE") this.note(failure);
      else for (const cursor of cursors) cursor.fail(failure);
    }
  }

  /** A partition without a leader is waited for, but not silently. */
  #complain(still: Cursor): void {
    this.#lostSinceMs ??= performance.now();
    if (performance.now() - this.#lostSinceMs < this.#cluster.requestMs) return;
    this.#lostSinceMs = undefined;
    this.note(still.unreachable("it has no leader"));
  }

  /** Begins to look where a topic's logs begin and end, for partitions of it whose offset may not be in them. */
  settle(topic: string): void {
    if (this.#settling.has(topic)) return;
    this.#settling.add(topic);
    void this.#settle(topic)
      .catch((error: unknown) => {
        this.note(error);
        for (const cursor of this.#cursors) if (cursor.topic === topic) cursor.doubtful = false;
      })
      .finally(() => {
        this.#settling.delete(topic);
        this.#byLeader = undefined;
        this.#onNews();
      });
  }

  async #settle(topic: string): Promise<void> {
    await whileElecting(this.#cluster, topic, async (place) => {
      const first = await offsetsAt(this.#cluster, place, earliest);
      const next = await offsetsAt(this.#cluster, place, latest);
      for (const cursor of this.#cursors) {
        if (cursor.topic !== topic || !cursor.doubtful) continue;
        cursor.locate(place);
        cursor.settle(first.get(cursor.partition) ?? 0, next.get(cursor.partition) ?? 0);
      }
    });
  }
}

function isLost({ leader, failure }: Cursor): boolean {
  return leader < 0 && failure === undefined;
}
