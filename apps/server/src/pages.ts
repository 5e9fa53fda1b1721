import type { FetchLimits, PartitionBounds, Position, StoredMessage, Transport } from "@waybill/messaging";

/** How long a log may bring nothing although it has more, in milliseconds. */
const patienceMs = 5_000;

/**
 * Pages of a topic's messages from these positions up to where the log ended when its bounds were asked for. A fetch that
 * brings nothing means nothing by itself: what lies there may still be on its way.
 */
export async function* pagesTo(
  transport: Transport,
  from: readonly Position[],
  bounds: readonly PartitionBounds[],
  limits: Omit<FetchLimits, "waitMs">,
): AsyncGenerator<readonly StoredMessage[]> {
  const ends = new Map(bounds.map(({ partition, nextOffset }) => [partition, nextOffset]));
  const isRead = ({ partition, nextOffset }: Pick<Position, "partition" | "nextOffset">) =>
    nextOffset >= (ends.get(partition) ?? 0);
  const unread = new Set(from.filter((position) => !isRead(position)).map(({ partition }) => partition));
  if (unread.size === 0) return;
  await using reader = transport.reader(from);
  const { signal } = new AbortController();
  let untilMs = performance.now() + patienceMs;
  while (unread.size > 0 && performance.now() < untilMs) {
    const { messages, next, atEnd } = await reader.fetch({ ...limits, waitMs: 500 }, signal);
    for (const { partition } of [...atEnd, ...next.filter(isRead)]) unread.delete(partition);
    if (messages.length + next.length > 0) untilMs = performance.now() + patienceMs;
    if (messages.length > 0) yield messages;
  }
}
