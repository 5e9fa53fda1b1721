import type { Stamp, StoredMessage } from "../message.ts";
import type { PositionRow } from "../store.ts";
import type { PartitionBounds } from "../transport.ts";

/** How far a lane has come in one partition of one topic, and the marks of the sources that it saw there. */
export class Track {
  readonly topic: string;
  readonly partition: number;
  logId: string;
  nextOffset: number;
  lastOffset: number | undefined;
  lastId: string | undefined;
  readonly marks: Map<string, number>;
  /** A gap was found here: nothing behind it is taken. */
  broken = false;

  constructor(row: PositionRow) {
    this.topic = row.topic;
    this.partition = row.partition;
    this.logId = row.logId;
    this.nextOffset = row.nextOffset;
    this.lastOffset = row.lastOffset;
    this.lastId = row.lastId;
    this.marks = new Map(Object.entries(row.marks));
  }

  took(message: StoredMessage): void {
    this.nextOffset = message.offset + 1;
    this.lastOffset = message.offset;
    this.lastId = message.id;
  }

  /** Takes a message that lies behind a gap: its source's chain goes on, and what lies between is still to be read. */
  tookAhead({ source, n }: Pick<Stamp, "source" | "n">): void {
    this.marks.set(source, n);
  }

  row(): PositionRow {
    return {
      topic: this.topic,
      partition: this.partition,
      logId: this.logId,
      nextOffset: this.nextOffset,
      lastOffset: this.lastOffset,
      lastId: this.lastId,
      marks: Object.fromEntries(this.marks),
    };
  }

  /** Goes on without what is missing: from the first offset kept, and with the chains begun anew. */
  skipLoss(bounds: PartitionBounds): void {
    if (this.nextOffset < bounds.firstOffset) {
      this.nextOffset = bounds.firstOffset;
      this.lastOffset = undefined;
      this.lastId = undefined;
    }
    if (!this.broken && this.nextOffset > bounds.firstOffset) return;
    for (const [source, mark] of this.marks) this.marks.set(source, -Math.abs(mark));
    this.broken = false;
  }
}
