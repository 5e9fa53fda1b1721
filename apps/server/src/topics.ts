import {
  bodyText,
  codeOf,
  type PartitionBounds,
  type Position,
  type StoredMessage,
  type Transport,
} from "@waybill/messaging";
import { pagesTo } from "./pages.ts";

/** A topic as an operator sees it. */
export interface TopicView {
  readonly topic: string;
  /** The broker or file that it lives in. */
  readonly transport: string;
  readonly partitions: number;
  /** About how many messages are kept: offsets are not dense. */
  readonly messages: number;
  readonly bytes: number;
}

/** How much each of these topics holds; those that no build has declared here yet are left out. */
export async function topicViews(
  transportOf: (topic: string) => Transport,
  names: readonly string[],
): Promise<readonly TopicView[]> {
  const views = await Promise.all(
    names.map((topic) =>
      topicView(transportOf(topic), topic).catch((error: unknown) => {
        if (codeOf(error) === "TOPIC_UNKNOWN") return undefined;
        throw error;
      }),
    ),
  );
  return views.filter((view) => view !== undefined);
}

async function topicView(transport: Transport, topic: string): Promise<TopicView> {
  const bounds = await transport.bounds(topic);
  return {
    topic,
    transport: transport.name,
    partitions: bounds.length,
    messages: ownOffsets.has(transport.name) ? inEach(bounds) : inAll(bounds),
    bytes: bounds.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

/** Logs in which each partition counts for itself; in others the partitions of a topic share its offsets. */
const ownOffsets: ReadonlySet<string> = new Set(["kafka"]);

function inEach(bounds: readonly PartitionBounds[]): number {
  return bounds.reduce((sum, { firstOffset, nextOffset }) => sum + nextOffset - firstOffset, 0);
}

/** How many offsets the partitions that hold anything span together. */
function inAll(bounds: readonly PartitionBounds[]): number {
  const held = bounds.filter(({ firstOffset, nextOffset }) => nextOffset > firstOffset);
  if (held.length === 0) return 0;
  const first = Math.min(...held.map(({ firstOffset }) => firstOffset));
  return Math.max(...held.map(({ nextOffset }) => nextOffset)) - first;
}

/** A message of a topic, for people. */
export interface MessageView {
  readonly at: string;
  readonly type: string;
  readonly subject: string;
  readonly partition: number;
  readonly offset: number;
  readonly id: string;
  readonly producer: string;
  readonly correlation: string;
  readonly causation?: string | undefined;
  /** As JSON, without tokens of payments; as text where it is none. */
  readonly body: unknown;
}

export interface TailOptions {
  readonly transport: Transport;
  readonly topic: string;
  /** Where the page before ended; undefined: so that the last messages are shown. */
  readonly place?: string | undefined;
  readonly limit: number;
  /** How long to wait when there is nothing new, in milliseconds. */
  readonly waitMs: number;
  readonly isWanted?: (message: StoredMessage) => boolean;
  readonly signal: AbortSignal;
}

/** How many messages one page looks at for those that are wanted. */
const lookMax = 10_000;
const bytesMax = 4_194_304;
const pageMax = { messages: 1_000, bytes: bytesMax };

/** Messages of a topic, and where to go on. */
export interface TailPage {
  readonly messages: readonly MessageView[];
  readonly place: string;
}

/** The next messages of a topic by the time of their publication; without a place its last ones. */
export async function tail(options: TailOptions): Promise<TailPage> {
  const { transport, topic, limit, waitMs, isWanted = () => true, signal } = options;
  const bounds = await transport.bounds(topic);
  if (options.place === undefined) return lastPage(options, bounds);
  const from = placed(bounds, options.place);
  const next = new Map(from.map(({ partition, nextOffset }) => [partition, nextOffset]));
  const found: StoredMessage[] = [];
  await using reader = transport.reader(from);
  const over = AbortSignal.any([signal, AbortSignal.timeout(waitMs)]);
  for (let looked = 0; looked < lookMax && found.length < limit && !signal.aborted;) {
    const wait = found.length === 0 ? waitMs : 0;
    const { messages, next: moved } = await reader.fetch({ messages: limit, bytes: bytesMax, waitMs: wait }, over);
    for (const { partition, nextOffset } of moved) next.set(partition, nextOffset);
    for (const message of messages) {
      next.set(message.partition, message.offset + 1);
      if (isWanted(message)) found.push(message);
    }
    // What there is is read to its end; then, if that was nothing, it is waited for.
    if (messages.length === 0 && (wait === 0 || over.aborted)) break;
    looked += messages.length;
  }
  return { messages: byTime(found).map(messageView), place: placeOf(bounds, next) };
}

/**
 * The last messages of all partitions together. Each partition may have all of them, so the last ones of each are read to the
 * end before any is left out.
 */
async function lastPage(options: TailOptions, bounds: readonly PartitionBounds[]): Promise<TailPage> {
  const { transport, limit, isWanted = () => true } = options;
  const ends = new Map(bounds.map(({ partition, nextOffset }) => [partition, nextOffset]));
  // What came since then is for the page after this one.
  const isOld = ({ partition, offset }: StoredMessage) => offset < ends.get(partition)!;
  let last: StoredMessage[] = [];
  for await (const messages of pagesTo(transport, lastOf(bounds, limit), bounds, pageMax)) {
    last = byTime([...last, ...messages.filter((message) => isOld(message) && isWanted(message))]).slice(-limit);
  }
  return { messages: last.map(messageView), place: placeOf(bounds, ends) };
}

function byTime(messages: StoredMessage[]): StoredMessage[] {
  return messages.sort((a, b) => a.atMs - b.atMs);
}

/** Positions so far before the ends that all of the last messages lie behind them. */
function lastOf(bounds: readonly PartitionBounds[], limit: number): Position[] {
  return bounds.map(({ topic, partition, logId, firstOffset, nextOffset }) => {
    return { topic, partition, logId, nextOffset: Math.max(firstOffset, nextOffset - limit) };
  });
}

/** Positions as a place says, kept to what the log holds; from its first message where the log is another one. */
function placed(bounds: readonly PartitionBounds[], place: string): Position[] {
  const said = parsed(place);
  return bounds.map(({ topic, partition, logId, firstOffset, nextOffset }, at) => {
    const [id, offset] = said[at] ?? [];
    const wanted = id === logId && typeof offset === "number" ? offset : firstOffset;
    return { topic, partition, logId, nextOffset: Math.min(Math.max(firstOffset, wanted), nextOffset) };
  });
}

function placeOf(bounds: readonly PartitionBounds[], next: ReadonlyMap<number, number>): string {
  const said = bounds.map(({ partition, logId, nextOffset }) => [logId, next.get(partition) ?? nextOffset]);
  return Buffer.from(JSON.stringify(said)).toString("base64url");
}

function parsed(place: string): readonly (readonly [string?, number?])[] {
  try {
    const said: unknown = JSON.parse(Buffer.from(place, "base64url").toString());
    return Array.isArray(said) ? said.map((one) => (Array.isArray(one) ? (one as [string?, number?]) : [])) : [];
  } catch {
    return [];
  }
}

function messageView(message: StoredMessage): MessageView {
  const { atMs, type, subject, partition, offset, id, producer, correlation, causation } = message;
  const body = readable(message);
  return {
    at: new Date(atMs).toISOString(),
    type,
    subject,
    partition,
    offset,
    id,
    producer,
    correlation,
    causation,
    body,
  };
}

/** A payment's token is worth money to whoever reads it. */
function readable({ body }: StoredMessage): unknown {
  try {
    return JSON.parse(bodyText(body), (name, value: unknown) => (name === "token" ? "…" : value)) as unknown;
  } catch {
    return typeof body === "string" ? body : Buffer.from(body).toString("base64");
  }
}
