import type { StoredMessage, TopicSpec } from "@waybill/messaging";
import type { Wave } from "./wave.ts";

/** Messages of one topic at consecutive offsets from `first`. */
export interface Segment {
  /** The wave that it came with, until that is durable; none when it was read from the file. */
  wave: Wave | undefined;
  readonly topic: TopicLog;
  readonly first: number;
  readonly messages: StoredMessage[];
  bytes: number;
}

/** The offset behind a segment's last message. */
export function endOf(segment: Segment): number {
  return segment.first + segment.messages.length;
}

/** One topic as the process that writes it knows it. */
export interface TopicLog {
  readonly id: number;
  spec: TopicSpec;
  readonly logId: string;
  /** The offset of the next message. Never goes back: what was refused leaves a hole. */
  nextOffset: number;
  firstOffset: number;
  /** About how much is kept. */
  bytes: number;
  /** Per partition one past its last message. */
  readonly ends: number[];
  /** The same as `nextOffset` and `ends`, of what is durable. */
  durableOffset: number;
  durableEnds: readonly number[];
  /** The last segments, without a hole up to the end: everything that is not durable yet, and what memory allows. */
  readonly tail: Segment[];
  /** Where the next message goes if it fits. */
  openSegment: Segment | undefined;
  /** It is larger than it may be, and a service has not read what would have to go. */
  full: boolean;
  /** Called when something was applied. */
  readonly onApplied: Set<() => void>;
  /** Called when something became durable. */
  readonly onDurable: Set<() => void>;
}

/** The index of the first segment that ends behind an offset. */
export function segmentAt(segments: readonly Segment[], offset: number): number {
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (endOf(segments[middle]!) <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
