import { WaybillError, type Position } from "@waybill/messaging";
import type { StreamInfo } from "@nats-io/jetstream";
import { messageOf } from "./record.ts";
import { topicOf } from "./stream-config.ts";
import type { Streams } from "./streams.ts";

/** For how long a new leader may say less than the one before it had said. */
const leaderSettlesMs = 3_000;
const askAgainMs = 200;

/**
 * The stream's state, from a leader that knows at least `sequence` of this log. A leader just elected may still be
 * applying what is committed, so a replicated stream that seems to have lost its end is asked again for a while.
 */
export async function settledInfo(
  streams: Streams,
  topic: string,
  { logId, sequence }: { readonly logId: string; readonly sequence: number },
): Promise<StreamInfo> {
  const untilMs = performance.now() + leaderSettlesMs;
  for (;;) {
    const info = await streams.info(topic);
    const settled = info.created !== logId || info.state.last_seq >= sequence || info.config.num_replicas === 1;
    if (settled || performance.now() > untilMs) return info;
    await new Promise((resolve) => setTimeout(resolve, askAgainMs));
  }
}

/** Throws when the stream is not the log that positions were taken from, or no longer holds what comes next. */
export async function compareLog(
  streams: Streams,
  info: StreamInfo,
  topic: string,
  positions: readonly Position[],
): Promise<void> {
  const { partitions } = topicOf(info);
  const { first_seq: first, last_seq: last } = info.state;
  for (const { partition, logId, nextOffset } of positions) {
    if (partition >= partitions) throw noPartition(topic, partition, partitions);
    if (logId !== "" && logId !== info.created)
      throw changed(topic, partition, `its id is ${info.created}, not ${logId}`);
    if (nextOffset > last + 1) throw changed(topic, partition, `it ends at ${last + 1}, before ${nextOffset}`);
  }
  await compareLast(streams, topic, positions, first);
  for (const { partition, logId, nextOffset } of positions) {
    if (logId !== "" && nextOffset < first) throw retentionPassed(topic, partition, nextOffset, first);
  }
}

/**
 * Whether the message read last is still there. A stream is one log, and what it loses it loses from its end: when the
 * furthest message that was read is still the same, so are all before it.
 */
async function compareLast(
  streams: Streams,
  topic: string,
  positions: readonly Position[],
  first: number,
): Promise<void> {
  let furthest: Position | undefined;
  for (const position of positions) {
    if (position.lastId === undefined || position.lastOffset === undefined) continue;
    if (furthest === undefined || position.lastOffset > furthest.lastOffset!) furthest = position;
  }
  if (furthest === undefined || furthest.lastOffset! < first) return;
  const { partition, lastOffset, lastId } = furthest;
  const record = await streams.at(topic, lastOffset!);
  const found = record === undefined ? undefined : messageOf(topic, record)?.id;
  if (found !== lastId)
    throw changed(topic, partition, `offset ${lastOffset} holds ${found ?? "nothing"}, not ${lastId}`);
}

export function changed(topic: string, partition: number, why: string): WaybillError {
  return new WaybillError("LOG_CHANGED", `Partition ${partition} of topic "${topic}" is another log: ${why}.`, {
    details: { topic, partition },
  });
}

export function retentionPassed(
  topic: string,
  partition: number,
  nextOffset: number,
  firstOffset: number,
): WaybillError {
  return new WaybillError(
    "RETENTION_PASSED",
    `Partition ${partition} of topic "${topic}" begins at ${firstOffset}; ${nextOffset} is no longer kept.`,
    { details: { topic, partition, nextOffset, firstOffset } },
  );
}

export function noPartition(topic: string, partition: number, partitions: number): WaybillError {
  return new WaybillError(
    "TOPIC_UNKNOWN",
    `Topic "${topic}" has ${partitions} partitions; there is no number ${partition}.`,
    { details: { topic, partition } },
  );
}
