import { messageOf, type WaybillError } from "../errors.ts";
import { bodyBytes, type Body, type TopicPartition } from "../message.ts";
import type { LaneId, OutboxDestination, OutgoingMessage, SentRow, Store } from "../store.ts";
import type { Append, AppendResult, Transport } from "../transport.ts";
import type { World } from "../world.ts";

export interface SenderLimits {
  /** What a lane holds in memory of messages that are committed and not yet confirmed; the rest waits in the table. */
  readonly messages: number;
  readonly bytes: number;
  /** Messages in one append to one destination. */
  readonly append: number;
}

/** A message that a broker has confirmed, and where it lies. */
interface Confirmed {
  readonly logId: string;
  readonly offset: number;
  readonly n: number;
}

/** One topic and partition that the lane sends to. */
interface Destination extends TopicPartition {
  readonly queue: OutgoingMessage[];
  /** The last `n` that is confirmed. */
  sentN: number;
  /** The last `n` committed; above the queue's end when the rest lies in the table. */
  committedN: number;
  /** Where the last confirmed message lies. */
  last: Confirmed | undefined;
  busy: boolean;
  failures: number;
}

const backoffMs = [50, 200, 1_000, 2_000] as const;

/**
 * Appends what the lane has committed to where it belongs, in order of `n`, with one unresolved append a destination,
 * repeated until it succeeds. A destination that is stuck holds only itself.
 */
export class Sender {
  readonly #id: LaneId;
  readonly #store: Store;
  readonly #world: World;
  readonly #limits: SenderLimits;
  readonly #transportOf: (topic: string) => Transport;
  readonly #destinations = new Map<string, Destination>();
  readonly #stop = new AbortController();
  /** Confirmed and not yet written with a commit. */
  #confirmed = new Map<string, SentRow>();
  #messages = 0;
  #bytes = 0;
  readonly #running = new Set<Promise<void>>();
  readonly #onConfirmed: () => void;

  constructor(options: {
    id: LaneId;
    store: Store;
    world: World;
    limits: SenderLimits;
    transportOf: (topic: string) => Transport;
    onConfirmed: () => void;
  }) {
    this.#id = options.id;
    this.#store = options.store;
    this.#world = options.world;
    this.#limits = options.limits;
    this.#transportOf = options.transportOf;
    this.#onConfirmed = options.onConfirmed;
  }

  /** Takes up destinations where a former owner left them: what is not `sent`, as the logs say, is in the table. */
  resume(outbox: readonly OutboxDestination[], sent: ReadonlyMap<string, SentRow>): void {
    for (const { topic, partition, lastN } of outbox) {
      const destination = this.#destination({ topic, partition });
      destination.sentN = Math.min(sent.get(nameOf(destination))?.n ?? 0, lastN);
      destination.committedN = lastN;
    }
    // What the log loses from now on is noticed by the first append.
    for (const row of sent.values())
      this.#destination(row).last = { logId: row.logId, offset: row.lastOffset, n: row.n };
    this.kick();
  }

  /** Adds messages that are durable, in order of `n`. */
  add(messages: readonly OutgoingMessage[]): void {
    for (const message of messages) {
      const destination = this.#destination(message);
      const inMemory = destination.queue.at(-1)?.stamp.n ?? destination.sentN;
      // Behind a message that lies in the table only, everything is read from there.
      if (
        inMemory === destination.committedN &&
        this.#messages < this.#limits.messages &&
        this.#bytes < this.#limits.bytes
      ) {
        destination.queue.push(message);
        this.#messages += 1;
        this.#bytes += bodyBytes(message.body);
      }
      destination.committedN = message.stamp.n;
    }
    this.kick();
  }

  #destination(of: TopicPartition): Destination {
    const name = nameOf(of);
    let destination = this.#destinations.get(name);
    if (destination === undefined) {
      destination = {
        topic: of.topic,
        partition: of.partition,
        queue: [],
        sentN: 0,
        committedN: 0,
        last: undefined,
        busy: false,
        failures: 0,
      };
      this.#destinations.set(name, destination);
    }
    return destination;
  }

  /**
   * Starts an append, one per transport, for every destination that has something and none under way. One that has
   * failed comes back at a moment of its own, so that nobody waits for it.
   */
  kick(): void {
    if (this.#stop.signal.aborted) return;
    const ready = new Map<Transport, Destination[]>();
    for (const destination of this.#destinations.values()) {
      if (destination.busy || destination.sentN >= destination.committedN) continue;
      destination.busy = true;
      const transport = this.#transportOf(destination.topic);
      const of = ready.get(transport);
      if (of === undefined) ready.set(transport, [destination]);
      else of.push(destination);
    }
    for (const [transport, destinations] of ready) this.#start(this.#append(transport, destinations));
  }

  #start(work: Promise<void>): void {
    this.#running.add(work);
    void work.finally(() => this.#running.delete(work));
  }

  async #append(transport: Transport, destinations: readonly Destination[]): Promise<void> {
    try {
      for (const destination of destinations) await this.#compare(transport, destination);
      const appends = await Promise.all(destinations.map((destination) => this.#next(destination)));
      const results = await transport.append(appends, this.#stop.signal);
      for (const [index, result] of results.entries()) {
        const destination = destinations[index]!;
        // Once more: what was lost behind the first look may have given its place to an attempt that came late.
        if (result.ok && (await this.#compare(transport, destination))) this.#release(destination);
        else this.#settle(destination, appends[index]!, result);
      }
    } catch (error) {
      for (const destination of destinations) this.#retry(destination, error);
    }
    this.kick();
  }

  /**
   * After a failure the broker may have come back without the end of its log; and where what failed was stored all the same, it may
   * lie where what was lost had lain. True when something is lost, and is to be said again.
   */
  async #compare(transport: Transport, destination: Destination): Promise<boolean> {
    const { failures, last } = destination;
    if (failures === 0 || last === undefined || (await holds(transport, destination, last))) return false;
    this.#sayAgain(destination);
    return true;
  }

  /** The broker has lost what it had confirmed: all that the outbox still holds is sent again. */
  #sayAgain(destination: Destination): void {
    const { topic, partition, queue } = destination;
    for (const { body } of queue.splice(0)) this.#forget(body);
    destination.sentN = 0;
    destination.last = undefined;
    this.#world.log("error", "A broker lost messages that it had confirmed; those in the outbox are sent again.", {
      ...this.#id,
      topic,
      partition,
    });
  }

  #forget(body: Body): void {
    this.#messages -= 1;
    this.#bytes -= bodyBytes(body);
  }

  /** The next messages of a destination: from memory, or what memory did not hold from the table. */
  async #next(destination: Destination): Promise<Append> {
    const { topic, partition, queue, sentN } = destination;
    const messages =
      queue.length > 0
        ? queue.slice(0, this.#limits.append)
        : await this.#store.outbox(this.#id, { topic, partition }, sentN, this.#limits.append);
    return { topic, partition, messages };
  }

  #settle(destination: Destination, append: Append, result: AppendResult): void {
    if (!result.ok) return this.#retry(destination, result.error);
    const { topic, partition, queue } = destination;
    const last = append.messages.at(-1) as OutgoingMessage;
    const done = queue.findIndex((message) => message.stamp.n > last.stamp.n);
    for (const { body } of queue.splice(0, done < 0 ? queue.length : done)) this.#forget(body);
    const { logId, firstOffset, lastOffset } = result;
    const before = destination.last;
    destination.sentN = last.stamp.n;
    destination.last = { logId, offset: lastOffset, n: last.stamp.n };
    this.#release(destination);
    if (before !== undefined && (before.logId !== logId || firstOffset <= before.offset)) {
      return this.#sayAgain(destination);
    }
    this.#confirmed.set(nameOf(destination), { topic, partition, n: last.stamp.n, logId, lastOffset });
    this.#onConfirmed();
  }

  /** The next append may follow. */
  #release(destination: Destination): void {
    destination.busy = false;
    destination.failures = 0;
  }

  /** Repeats the same append after a pause; what was stored of it is stored again, and dropped by its readers' marks. */
  #retry(destination: Destination, error: unknown): void {
    const wait = backoffMs[Math.min(destination.failures, backoffMs.length - 1)]!;
    destination.failures += 1;
    const { topic, partition, failures } = destination;
    if (failures === 1 || failures % 60 === 0) {
      this.#world.log("warn", "An append failed and is repeated until it succeeds.", {
        ...this.#id,
        topic,
        partition,
        failures,
        code: (error as WaybillError).code,
        error: messageOf(error),
      });
    }
    this.#start(
      this.#world.sleep(wait, this.#stop.signal).then(() => {
        destination.busy = false;
        this.kick();
      }),
    );
  }

  /** What is confirmed since the last call, to be written with the next commit. */
  takeConfirmed(): SentRow[] {
    if (this.#confirmed.size === 0) return [];
    const rows = [...this.#confirmed.values()];
    this.#confirmed = new Map();
    return rows;
  }

  /** Messages committed and not confirmed, as far as they are in memory. */
  get waiting(): number {
    return this.#messages;
  }

  /** Whether everything committed is confirmed. */
  get idle(): boolean {
    for (const { sentN, committedN } of this.#destinations.values()) if (sentN < committedN) return false;
    return true;
  }

  /** Stops; an append under way may still be stored, and the next owner says it again. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
  }
}

/** Whether a log still has what it confirmed, as far as it is kept for so long. */
async function holds(transport: Transport, { topic, partition }: TopicPartition, last: Confirmed): Promise<boolean> {
  const bounds = (await transport.bounds(topic))[partition];
  if (bounds?.logId !== last.logId || bounds.nextOffset <= last.offset) return false;
  if (last.offset < bounds.firstOffset) return true;
  const found = await transport.read(topic, partition, last.offset);
  return found?.stamp?.n === last.n;
}

export function nameOf(of: TopicPartition): string {
  return `${of.topic}/${of.partition}`;
}
