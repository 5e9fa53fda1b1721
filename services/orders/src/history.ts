import { allMessages } from "@waybill/contracts";
import type { InputInfo, Sent } from "@waybill/messaging";

/**
 * A message of an order's life, as it is kept: small, since it is written again with each step. A message that orders
 * sent has no offset yet; its id names it. What orders consumed and is no message (a deadline) has no topic.
 */
export type HistoryEntry = readonly [type: string, partition: number, offset: number | null, id: string, atMs: number];

/** A message of an order's life, for people. */
export interface Journey {
  readonly direction: "in" | "out";
  readonly type: string;
  readonly topic: string | undefined;
  readonly partition: number;
  readonly offset: number | undefined;
  readonly id: string;
  /** When it was published, in milliseconds. */
  readonly atMs: number;
}

/** The most entries that one order keeps; a whole life with every detour has fewer. */
export const historyMax = 64;

/** The history with one input and what was sent for it; the same when the input stands there already. */
export function remembered(
  history: readonly HistoryEntry[],
  input: InputInfo,
  sent: readonly Sent[],
): readonly HistoryEntry[] {
  if (history.length + 1 + sent.length > historyMax) return history;
  if (history.some((entry) => entry[3] === input.id)) return history;
  return [
    ...history,
    [input.type, input.partition, input.offset ?? null, input.id, input.atMs],
    ...sent.map(({ type, partition, id, atMs }): HistoryEntry => [type, partition, null, id, atMs]),
  ];
}

const topicOf = new Map(allMessages.map(({ name, topic }) => [name, topic]));

/** An order's history spelled out, in the order in which it happened. */
export function journey(history: readonly HistoryEntry[]): readonly Journey[] {
  return history.map(([type, partition, offset, id, atMs]) => {
    const topic = topicOf.get(type);
    const direction = topic?.writers.includes("orders") === true ? "out" : "in";
    return {
      direction,
      type,
      topic: topic?.name,
      partition,
      offset: offset ?? undefined,
      id,
      atMs,
    };
  });
}
