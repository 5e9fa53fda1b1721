import type { Books, Confirmed, LaneFacts, LogMessage, ReaderPosition, TopicFacts } from "../books.ts";
import type { Findings } from "../findings.ts";

/** The last message of one source in one partition that was taken, and the first one behind a gap. */
interface Link {
  n: number;
  atMs: number;
  gap: { readonly n: number; readonly prev: number; readonly where: string; readonly atMs: number } | undefined;
}

/** One service's way through a partition, while the partition is gone through. */
interface Way {
  readonly position: ReaderPosition;
  /** The message that it read last was seen in the log, with its id. */
  lastFound: boolean;
  passed: boolean;
}

interface Partition {
  readonly links: Map<string, Link>;
  readonly ways: Way[];
  /** Everything before it was taken by all, and is nobody's last: there is nothing to compare. */
  readonly readByAllBefore: number;
  lastAtMs: number | undefined;
}

const askTheLog =
  "Compare with a backup of the log. When the messages are lost for good, let the lane go on without them (acceptLoss) and check the orders named in them by hand.";

/**
 * Laws 1 and 3 over one topic, a message at a time: every source's numbers form one chain in each partition, and each
 * service has taken exactly what lies before its position.
 */
export class Chains {
  readonly #topic: TopicFacts;
  /** Where breaches go; a reading that goes on for long may change it. */
  findings: Findings;
  readonly #partitions: Partition[];
  /** The next number that each lane gives, by its source. */
  readonly #nextN: ReadonlyMap<string, LaneFacts>;
  readonly #confirmed: readonly Confirmed[];

  constructor(
    topic: TopicFacts,
    { positions, lanes, confirmed }: Pick<Books, "positions" | "lanes" | "confirmed">,
    findings: Findings,
  ) {
    this.#topic = topic;
    this.findings = findings;
    this.#nextN = new Map(lanes.map((lane) => [lane.source, lane]));
    this.#confirmed = confirmed.filter((row) => row.topic === topic.name);
    this.#partitions = Array.from({ length: topic.partitions }, (_, partition) => {
      const own = positions.filter((position) => position.topic === topic.name && position.partition === partition);
      return {
        links: new Map(),
        ways: own.map((position) => ({ position, lastFound: false, passed: false })),
        readByAllBefore: Math.min(
          ...own.map(({ nextOffset, lastOffset = nextOffset }) => Math.min(nextOffset, lastOffset)),
        ),
        lastAtMs: undefined,
      };
    });
  }

  /** Takes the next message; returns the services that have not read it, undefined when it does not count. */
  take(message: LogMessage): readonly string[] | undefined {
    const partition = this.#partitions[message.partition];
    if (partition === undefined) {
      this.#breach(1, message, `lies in partition ${message.partition} of ${this.#topic.partitions}`);
      return undefined;
    }
    const unread = message.offset < partition.readByAllBefore ? none : this.#passReaders(partition, message);
    this.findings.checked(1);
    this.findings.checked(3);
    partition.lastAtMs = message.atMs;
    return message.source === undefined || this.#link(partition, message, message.source) ? unread : undefined;
  }

  #passReaders(partition: Partition, message: LogMessage): readonly string[] {
    let unread: string[] | undefined;
    for (const way of partition.ways) {
      const { position } = way;
      if (message.offset >= position.nextOffset) {
        if (!way.passed) this.#compareMarks(partition, way);
        (unread ??= []).push(position.service);
      } else if (message.offset === position.lastOffset) {
        way.lastFound = true;
        if (!message.malformed && message.id !== position.lastId) {
          this.#breach(1, message, `is ${message.id}; ${position.service} read ${position.lastId ?? "nothing"} there`);
        }
      }
    }
    return unread ?? none;
  }

  /** Whether the message is the next of its source, or counts all the same. */
  #link(partition: Partition, message: LogMessage, source: string): boolean {
    const { n, prev } = message;
    const { isExact, isCut } = this.#topic;
    const lane = this.#nextN.get(source);
    if (lane !== undefined && n >= lane.nextN) {
      // A broker's log is read later than the states: what was said since is not looked at.
      if (!isExact) return false;
      const given = `${lane.service}/${lane.lane}, which has only given ${lane.nextN - 1}`;
      this.#breach(1, message, `has number ${n} of ${given}`);
    }
    const link = partition.links.get(source);
    if (link === undefined) {
      partition.links.set(source, { n, atMs: message.atMs, gap: undefined });
      // Where the log was cut by retention nothing says where a chain begins.
      if (prev !== 0 && !isCut) this.#gap(message, source, 0, undefined);
      return true;
    }
    if (n <= link.n) {
      if (isExact) this.#breach(3, message, `has number ${n} of source ${source}, behind number ${link.n}`);
      return isExact;
    }
    if (prev > link.n && !isExact) {
      // What a broker has lost is said again, behind what came in between.
      link.gap ??= { n, prev, where: placeOf(message), atMs: message.atMs };
      return false;
    }
    if (prev > link.n) this.#gap(message, source, link.n, link.atMs);
    // A lane that was claimed anew may begin its chain anew as well.
    else if (prev < link.n && prev !== 0 && isExact) {
      this.#breach(1, message, `follows number ${prev} of source ${source}, and so does number ${link.n}`);
    }
    link.n = n;
    link.atMs = message.atMs;
    return true;
  }

  #gap(message: LogMessage, source: string, after: number, sinceMs: number | undefined): void {
    this.findings.breach({
      law: 1,
      what: `${message.topic}/${message.partition} is missing messages of source ${source} after ${after} up to ${message.prev}.`,
      where: placeOf(message),
      sinceMs: sinceMs ?? message.atMs,
      remedy: askTheLog,
    });
  }

  #breach(law: 1 | 3, message: LogMessage, what: string): void {
    this.findings.breach({
      law,
      what: `Message ${what}.`,
      where: placeOf(message),
      sinceMs: message.atMs,
      remedy:
        law === 3 ? "Find who else writes to this topic, and stop it; then check the orders named there." : askTheLog,
    });
  }

  #compareMarks(partition: Partition, way: Way): void {
    way.passed = true;
    const { service, topic, partition: number, marks, nextOffset } = way.position;
    for (const [source, { n, atMs }] of partition.links) {
      const mark = Math.abs(marks[source] ?? 0);
      this.findings.checked(1);
      // A reader may have taken what stands behind a gap and begin there again.
      if (mark === n || (mark > n && !this.#topic.isExact)) continue;
      const what =
        mark < n
          ? `${service} stands at offset ${nextOffset} of ${topic}/${number} and has taken source ${source} up to ${mark}; the log holds ${n} before that`
          : `${service} has taken source ${source} up to ${mark} in ${topic}/${number}; the log holds it only up to ${n}`;
      this.findings.breach({
        law: 1,
        what: `${what}.`,
        where: `${service} at ${topic}/${number}@${nextOffset}`,
        sinceMs: atMs,
        remedy: mark < n ? "Put the position back to where the mark stands, with the service stopped." : askTheLog,
      });
    }
  }

  /** To be called behind the last message. */
  end(): void {
    for (const partition of this.#partitions) {
      for (const way of partition.ways) {
        if (!way.passed) this.#compareMarks(partition, way);
        this.#compareEnd(partition, way);
      }
    }
    if (!this.#topic.isExact) this.#compareBroker();
  }

  /** A broker must hold what it has confirmed, and what came behind a gap must have been said again. */
  #compareBroker(): void {
    for (const [number, { links, lastAtMs }] of this.#partitions.entries()) {
      for (const [source, { n, gap }] of links) {
        if (gap === undefined || gap.n <= n) continue;
        const what = `${this.#topic.name}/${number} is missing messages of source ${source} after ${n} up to ${gap.prev}.`;
        this.findings.breach({ law: 1, what, where: gap.where, sinceMs: gap.atMs, remedy: askTheLog });
      }
      for (const { partition, source, n } of this.#confirmed) {
        if (partition !== number) continue;
        this.findings.checked(1);
        const held = links.get(source)?.n ?? 0;
        if (held >= n || (this.#topic.isCut && held === 0)) continue;
        const where = `${this.#topic.name}/${number}`;
        const what = `The broker has confirmed messages of source ${source} up to ${n}, and holds them up to ${held}.`;
        this.findings.breach({ law: 1, what, where, sinceMs: lastAtMs, remedy: askTheLog });
      }
    }
  }

  #compareEnd({ lastAtMs }: Partition, { position, lastFound }: Way): void {
    const { service, topic, partition, nextOffset, lastOffset, lastId } = position;
    this.findings.checked(1);
    // Partitions that share a stream are told to have moved with it.
    const end = Math.max(...this.#topic.nextOffsets);
    const isKept = lastOffset !== undefined && lastOffset >= (this.#topic.firstOffsets[partition] ?? 0);
    const beyond = nextOffset > end;
    if (!beyond && (!isKept || lastFound)) return;
    const what = beyond
      ? `${service} stands at offset ${nextOffset} of ${topic}/${partition}, and the log ends at ${end}`
      : `${service} has read message ${lastId ?? "?"} at offset ${lastOffset ?? "?"} of ${topic}/${partition}, and the log holds none there`;
    const where = `${topic}/${partition}@${lastOffset ?? nextOffset}`;
    this.findings.breach({ law: 1, what: `${what}.`, where, sinceMs: lastAtMs, remedy: askTheLog });
  }
}

const none: readonly string[] = [];

export function placeOf({ topic, partition, offset }: LogMessage): string {
  return `${topic}/${partition}@${offset}`;
}
