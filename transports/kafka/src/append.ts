import {
  bodyBytes,
  messageOf,
  type Append,
  type AppendResult,
  type Envelope,
  type WaybillError,
} from "@waybill/messaging";
import { partitionOf, type Cluster, type TopicPlace } from "./cluster.ts";
import { asWaybillError, messageTooLarge, nameOfError, unavailable } from "./errors.ts";
import { Leaders } from "./leaders.ts";
import { produceRequest, type ProducedPart } from "./produce.ts";
import { encodeBatch } from "./record-batch.ts";
import { configurationOf, limitsOf, type TopicLimits } from "./topics.ts";

/** One destination of one call, until it is known what became of it. */
interface Entry extends Append {
  readonly limits: TopicLimits;
  readonly signal: AbortSignal;
  /** Until when what was surely not stored is tried again here. */
  readonly untilMs: number;
  /** How many of its messages are stored. */
  stored: number;
  firstOffset: number;
  lastOffset: number;
  settle(result: AppendResult): void;
}

/** An entry in a request. */
interface Part {
  readonly entry: Entry;
  readonly topic: TopicPlace;
  readonly partition: number;
  readonly bytes: Buffer;
  readonly count: number;
}

/** What waits for one broker. */
interface Outgoing {
  /** By destination; each has one in a request at a time. */
  readonly waiting: Map<string, Entry[]>;
  readonly busy: Set<string>;
  requests: number;
  woken: boolean;
}

const requestBytesMax = 8_388_608;
/** While one request is answered, the next is on its way. */
const requestsMax = 2;

/** Errors after which it is sure that nothing was stored, and that pass. */
const passing = new Set([
  "NOT_LEADER_OR_FOLLOWER",
  "LEADER_NOT_AVAILABLE",
  "UNKNOWN_TOPIC_OR_PARTITION",
  "UNKNOWN_TOPIC_ID",
  "FENCED_LEADER_EPOCH",
  "UNKNOWN_LEADER_EPOCH",
  "NOT_ENOUGH_REPLICAS",
]);

/**
 * Appends by request to each broker: what comes while one is under way goes with the next, whoever wants it. A batch
 * carries no producer id, because Kafka's own removal of repeats does not keep order across a failure; an append whose
 * outcome is not known fails, and its caller says it again.
 */
export class Appender {
  readonly #cluster: Cluster;
  readonly #leaders: Leaders;
  readonly #limits = new Map<string, TopicLimits>();
  readonly #outgoing = new Map<number, Outgoing>();
  /** By destination the last offset that was acknowledged. */
  readonly #acknowledged = new Map<string, number>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#leaders = new Leaders(cluster);
  }

  async append(batches: readonly Append[], signal: AbortSignal): Promise<readonly AppendResult[]> {
    this.#cluster.alive();
    const results = await Promise.all(batches.map((batch) => this.#appendOne(batch, signal)));
    this.#cluster.alive();
    return results;
  }

  async #appendOne(batch: Append, signal: AbortSignal): Promise<AppendResult> {
    const { topic, partition, messages } = batch;
    try {
      if (signal.aborted) throw givenUp(batch);
      const place = this.#cluster.known(topic) ?? (await this.#cluster.topic(topic));
      partitionOf(place, partition);
      const limits = this.#known(place) ?? (await this.#limitsOf(place));
      for (const message of messages) refuseLarge(topic, message, limits);
      return await new Promise<AppendResult>((settle) => {
        const untilMs = performance.now() + this.#cluster.requestMs;
        const entry = {
          topic,
          partition,
          messages,
          limits,
          signal,
          untilMs,
          stored: 0,
          firstOffset: -1,
          lastOffset: -1,
          settle,
        };
        this.#enqueue(entry);
      });
    } catch (error) {
      return { ok: false, error: asWaybillError(error, "An append failed") };
    }
  }

  #known(place: TopicPlace): TopicLimits | undefined {
    const limits = this.#limits.get(place.name);
    return limits?.topicId === place.id ? limits : undefined;
  }

  async #limitsOf({ name, id }: TopicPlace): Promise<TopicLimits> {
    const limits = limitsOf(id, await configurationOf(this.#cluster, name));
    this.#limits.set(name, limits);
    return limits;
  }

  /** Puts the entry where its leader's next request takes it from; first where it was begun already. */
  #enqueue(entry: Entry): void {
    const ready = this.#leaders.ready(entry);
    if (ready === undefined) {
      this.#leaders.find(entry, entry.signal, entry.untilMs).then(
        (leader) => this.#put(leader, entry),
        (error: unknown) => this.#fail(entry, asWaybillError(error, "An append failed")),
      );
    } else this.#put(ready, entry);
  }

  #put(leader: number, entry: Entry): void {
    const outgoing = this.#outgoing.get(leader) ?? newOutgoing();
    this.#outgoing.set(leader, outgoing);
    const name = nameOf(entry);
    const queue = outgoing.waiting.get(name);
    if (queue === undefined) outgoing.waiting.set(name, [entry]);
    else if (entry.stored > 0) queue.unshift(entry);
    else queue.push(entry);
    this.#wake(leader, outgoing);
  }

  /** Sends when all that comes in this moment is there. */
  #wake(leader: number, outgoing: Outgoing): void {
    if (outgoing.woken) return;
    outgoing.woken = true;
    setImmediate(() => {
      outgoing.woken = false;
      while (outgoing.requests < requestsMax) {
        const parts = this.#fill(outgoing);
        if (parts.length === 0) return;
        void this.#send(leader, outgoing, parts);
      }
    });
  }

  /** The next request: the first entry of each destination that has none under way. */
  #fill(outgoing: Outgoing): Part[] {
    const parts: Part[] = [];
    let bytes = 0;
    for (const [name, queue] of outgoing.waiting) {
      if (outgoing.busy.has(name)) continue;
      const entry = queue.shift()!;
      if (queue.length === 0) outgoing.waiting.delete(name);
      const part = this.#part(entry);
      if (part === undefined) continue;
      outgoing.busy.add(name);
      parts.push(part);
      bytes += part.bytes.length;
      if (bytes >= requestBytesMax) break;
    }
    return parts;
  }

  #part(entry: Entry): Part | undefined {
    const { messages, stored, limits, partition, topic } = entry;
    const place = this.#cluster.known(topic);
    if (entry.signal.aborted || place === undefined || place.id !== limits.topicId) {
      this.#retry(entry, entry.signal.aborted ? givenUp(entry) : changed(entry));
      return undefined;
    }
    try {
      const { bytes, count } = encodeBatch(messages, stored, limits.batchBytesMax, limits.compression);
      return { entry, topic: place, partition, bytes, count };
    } catch (error) {
      this.#fail(entry, asWaybillError(error, "A message cannot be written"));
      return undefined;
    }
  }

  async #send(leader: number, outgoing: Outgoing, parts: readonly Part[]): Promise<void> {
    outgoing.requests += 1;
    try {
      const { requestMs, version } = this.#cluster;
      const request = produceRequest(parts, version.appendsById, Math.ceil(requestMs * 0.8));
      const answers = await this.#cluster.line(leader, "append").call(request, requestMs);
      const byName = new Map(answers.map((answer) => [`${answer.topic}/${answer.partition}`, answer]));
      for (const part of parts) await this.#settle(part, byName.get(this.#answerName(part)));
    } catch (error) {
      for (const { entry } of parts) this.#unknown(entry, asWaybillError(error, "An append failed"));
    } finally {
      outgoing.requests -= 1;
      for (const { entry } of parts) outgoing.busy.delete(nameOf(entry));
      this.#wake(leader, outgoing);
    }
  }

  #answerName({ topic, partition }: Part): string {
    return `${this.#cluster.version.appendsById ? topic.id.replaceAll("-", "") : topic.name}/${partition}`;
  }

  async #settle(part: Part, answer: ProducedPart | undefined): Promise<void> {
    const { entry, count } = part;
    if (answer === undefined) return this.#unknown(entry, unavailable("Kafka left a partition out of its answer."));
    if (answer.errorCode !== 0) return this.#refused(part, answer);
    const { topic, partition, messages } = entry;
    const id = await this.#idAfter(part, answer.baseOffset);
    if (entry.stored === 0) entry.firstOffset = answer.baseOffset;
    entry.stored += count;
    entry.lastOffset = answer.baseOffset + count - 1;
    this.#acknowledged.set(`${topic}/${partition}`, entry.lastOffset);
    if (entry.stored < messages.length) return this.#enqueue(entry);
    entry.settle({ ok: true, logId: id, firstOffset: entry.firstOffset, lastOffset: entry.lastOffset });
  }

  /** An offset that is not above the last one is of another log, perhaps; Kafka 4.0 does not say which one it appended to. */
  async #idAfter({ topic, partition }: Part, offset: number): Promise<string> {
    if (this.#cluster.version.appendsById) return topic.id;
    const before = this.#acknowledged.get(`${topic.name}/${partition}`) ?? -1;
    return offset > before ? topic.id : (await this.#cluster.look(topic.name)).id;
  }

  #refused({ entry, topic }: Part, { errorCode, reason }: ProducedPart): void {
    const error = nameOfError(errorCode);
    const { limits, partition } = entry;
    if (error === "MESSAGE_TOO_LARGE" || error === "RECORD_LIST_TOO_LARGE") {
      this.#limits.delete(topic.name);
      return this.#fail(entry, messageTooLarge(topic.name, limits.batchBytesMax, limits.bytesMax));
    }
    const text =
      `Kafka says ${error} of an append to partition ${partition} of topic "${topic.name}". ${reason}`.trim();
    const shown = unavailable(text, { topic: topic.name, partition, error });
    this.#leaders.suspect(entry, error === "NOT_ENOUGH_REPLICAS" ? undefined : topic);
    if (passing.has(error)) this.#retry(entry, shown);
    else this.#fail(entry, shown);
  }

  /** Nothing of it was stored, so it may be tried again here, for a while. */
  #retry(entry: Entry, error: WaybillError): void {
    const { stored, signal, untilMs } = entry;
    if (stored > 0 || signal.aborted || performance.now() >= untilMs) return this.#fail(entry, error);
    this.#appendAgain(entry).catch((reason: unknown) => this.#fail(entry, asWaybillError(reason, messageOf(error))));
  }

  async #appendAgain(entry: Entry): Promise<void> {
    await this.#leaders.find(entry, entry.signal, entry.untilMs);
    const place = await this.#cluster.topic(entry.topic);
    const limits = this.#known(place) ?? (await this.#limitsOf(place));
    this.#enqueue({ ...entry, limits });
  }

  /** It may have been stored or not: only its caller may say it again. */
  #unknown(entry: Entry, error: WaybillError): void {
    this.#leaders.suspect(entry, undefined);
    this.#fail(entry, error);
  }

  #fail(entry: Entry, error: WaybillError): void {
    entry.settle({ ok: false, error });
  }
}

function newOutgoing(): Outgoing {
  return { waiting: new Map(), busy: new Set(), requests: 0, woken: false };
}

function nameOf({ topic, partition }: Entry): string {
  return `${topic}/${partition}`;
}

function refuseLarge(topic: string, message: Envelope, { bytesMax }: TopicLimits): void {
  const { id, type, subject, key, producer, correlation, causation = "", traceparent = "", body } = message;
  const letters = id.length + type.length + subject.length + key.length + producer.length + correlation.length;
  const attributes = letters + causation.length + traceparent.length;
  // A letter is at most three bytes: mostly that settles it.
  if ((attributes + body.length) * 3 <= bytesMax) return;
  const texts = [id, type, subject, key, producer, correlation, causation, traceparent];
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), bodyBytes(body));
  if (bytes > bytesMax) throw messageTooLarge(topic, bytes, bytesMax);
}

function givenUp({ topic, partition }: Append): WaybillError {
  return unavailable(`The append to partition ${partition} of topic "${topic}" was given up.`, { topic, partition });
}

function changed({ topic, partition }: Append): WaybillError {
  return unavailable(`Topic "${topic}" was made anew during an append.`, { topic, partition });
}
