import type { Topic } from "../contract.ts";
import { messageOf, WaybillError } from "../errors.ts";
import { keyText } from "../ids.ts";
import { bodyBytes, type StoredMessage } from "../message.ts";
import { partitionOf } from "../partition.ts";
import type { Bench } from "./run.ts";
import { linkOf, markAfter } from "./chain.ts";
import { attributeBytes } from "../size.ts";
import type { Work } from "./work.ts";

/**
 * Takes a message's place in its partition and in its source's chain. False when there is nothing to handle: it is a
 * repeat, lies behind a gap, or was passed on to where its key belongs.
 */
export function admit(bench: Bench, message: StoredMessage, work: Work, repeats: Set<string>): boolean {
  const track = bench.track(message.topic, message.partition);
  if (track.broken || message.offset < track.nextOffset) return false;
  const { stamp } = message;
  if (stamp === undefined) {
    track.took(message);
    work.moved(track);
    return message.malformed !== undefined || passDoor(bench, message, work, repeats);
  }
  const mark = track.marks.get(stamp.source);
  const link = linkOf(mark, stamp);
  if (link === "gap") {
    track.broken = true;
    bench.block(message.topic, gapError(message, mark!));
    return false;
  }
  track.took(message);
  work.moved(track);
  if (link === "repeat") return false;
  track.marks.set(stamp.source, markAfter(mark, stamp));
  return !isRepeat(bench, message, work, repeats);
}

/** A message from outside: dropped when it was taken before, sent on when its key belongs to another partition. */
function passDoor(bench: Bench, message: StoredMessage, work: Work, repeats: Set<string>): boolean {
  const topic = bench.routes.topics.get(message.topic)?.topic;
  if (topic?.door !== true) return true;
  if (isRepeat(bench, message, work, repeats)) return false;
  if (!isMisplaced(bench, topic, message)) return true;
  work.passOn(message, partitionOf(message.key, bench.partitions));
  return false;
}

/** Whether a door with a window has taken this message before; if not, it has now. */
function isRepeat(bench: Bench, message: StoredMessage, work: Work, repeats: Set<string>): boolean {
  const topic = bench.routes.topics.get(message.topic)?.topic;
  if (topic?.dedupeMs === undefined) return false;
  const source = seenAs(bench, topic, message);
  const key = seenKey(source, message.id);
  if (repeats.has(key)) return true;
  repeats.add(key);
  work.seen.push({ source, id: message.id, atMs: work.publishAtMs });
  return false;
}

/**
 * By which name a message is remembered. Whether it is handled is for the lane of its key alone to say, also of one that
 * was passed on: two lanes that meet it at the same time know nothing of each other. One that passes it on remembers
 * only that, by a name that no producer can have.
 */
function seenAs(bench: Bench, topic: Topic, message: StoredMessage): string {
  const passesOn = message.stamp === undefined && isMisplaced(bench, topic, message);
  return passesOn ? `${message.producer}\n${message.partition}` : message.producer;
}

function isMisplaced(bench: Bench, topic: Topic, message: StoredMessage): boolean {
  return partitionOf(message.key, bench.partitions) !== message.partition && fits(topic, message);
}

/** Whether a message can be sent on with a stamp: what a broker refuses would stand in the way of all behind it. */
function fits(topic: Topic, { body }: StoredMessage): boolean {
  return bodyBytes(body) <= topic.bytesMax - attributeBytes;
}

/** Throws when a message from outside is here only because it could not be passed on. */
export function refuseMisplaced(topic: Topic, message: StoredMessage, partitions: number): void {
  if (fits(topic, message)) return;
  const partition = partitionOf(message.key, partitions);
  if (partition === message.partition) return;
  throw new WaybillError(
    "MESSAGE_TOO_LARGE",
    `${message.type} belongs in partition ${partition} of ${topic.name}, and is too large to be passed on with a stamp.`,
  );
}

const traceparentMax = 200;

/** A message from outside; one whose attributes could not go on with what comes of it counts as unreadable. */
export function vetted(message: StoredMessage): StoredMessage {
  if (message.malformed !== undefined) return message;
  try {
    keyText(message.id, "The id of", message.type);
    keyText(message.producer, "The producer of", message.type);
    keyText(message.subject, "The subject of", message.type);
    keyText(message.key, "The key of", message.type);
    keyText(message.correlation, "The correlation of", message.type);
    return (message.traceparent?.length ?? 0) > traceparentMax ? { ...message, traceparent: undefined } : message;
  } catch (error) {
    return { ...message, malformed: messageOf(error) };
  }
}

/** What a message shows to be missing before it. */
export function gapError({ topic, partition, offset, stamp }: StoredMessage, mark: number): WaybillError {
  const after = Math.abs(mark);
  const { source, prev: upTo } = stamp!;
  return new WaybillError(
    "GAP",
    `${topic}/${partition}: source ${source} is missing its messages after ${after} up to ${upTo}, ` +
      `before offset ${offset}. The lane reads no further in this topic.`,
    { details: { topic, partition, offset, source, after, upTo } },
  );
}

/** Those of these messages that a door with a window has taken before. */
export async function seenBefore(bench: Bench, messages: readonly StoredMessage[]): Promise<Set<string>> {
  const found = new Set<string>();
  if (!bench.routes.remembersSeen) return found;
  const asked: { source: string; id: string }[] = [];
  for (const message of messages) {
    const topic = bench.routes.topics.get(message.topic)?.topic;
    if (topic?.dedupeMs === undefined || message.malformed !== undefined) continue;
    asked.push({ source: seenAs(bench, topic, message), id: message.id });
  }
  if (asked.length === 0) return found;
  for (const { source, id } of await bench.store.seen(bench.id.service, asked)) found.add(seenKey(source, id));
  return found;
}

function seenKey(source: string, id: string): string {
  return `${source}\n${id}`;
}
