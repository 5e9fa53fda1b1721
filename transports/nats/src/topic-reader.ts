import { type Position, type StoredMessage, type TopicPartition } from "@waybill/messaging";
import { compareLog, settledInfo } from "./compare.ts";
import type { Link } from "./link.ts";
import { Puller } from "./puller.ts";
import { laggards, sharesOf, silentMark, startsOf } from "./starts.ts";
import type { Streams } from "./streams.ts";
import { partitionFilter } from "./subject.ts";

/** What may still be taken in one fetch. */
export interface Room {
  messages: number;
  bytes: number;
}

/** Where a reader stands in one partition. */
interface Place {
  readonly partition: TopicPartition;
  position: Position;
  moved: boolean;
}

export interface TopicReaderOptions {
  readonly link: Link;
  readonly streams: Streams;
  readonly messagesMax: number;
  readonly bytesMax: number;
  readonly onNews: () => void;
}

/** Where a reader stands in one topic, and the consumers that read it for all its partitions. */
export class TopicReader {
  readonly name: string;
  readonly #options: TopicReaderOptions;
  readonly #places: (Place | undefined)[] = [];
  readonly #moved: Place[] = [];
  #pullers: readonly Puller[] | undefined;
  #logId = "";
  #firstKept = 1;
  #turn = 0;
  #closed = false;

  constructor(name: string, positions: readonly Position[], options: TopicReaderOptions) {
    this.name = name;
    this.#options = options;
    for (const position of positions) {
      const { topic, partition } = position;
      this.#places[partition] = { partition: { topic, partition }, position, moved: false };
    }
  }

  get #live(): readonly Puller[] {
    return this.#pullers ?? [];
  }

  get hasMore(): boolean {
    return this.#live.some((puller) => puller.hasMore);
  }

  get running(): boolean {
    return this.#pullers !== undefined && this.#pullers.every((puller) => puller.running);
  }

  /** Everything was received, as far as the server has said. */
  get ended(): boolean {
    return this.#pullers !== undefined && this.#pullers.every((puller) => puller.ended);
  }

  /** All is known of what comes: nothing, or something that is on its way. */
  get certain(): boolean {
    return this.#pullers !== undefined && this.#pullers.every((puller) => puller.ended || puller.coming);
  }

  /** Rises as the log is read, also by what belongs to others. */
  get covered(): number {
    return this.#live.reduce((sum, puller) => sum + puller.covered, 0);
  }

  /** Begins to read, or begins again what was interrupted. Throws as `Reader.fetch` does. */
  async start(): Promise<void> {
    this.#pullers ??= await this.#open();
    if (this.#closed) return this.close();
    await Promise.all(this.#pullers.filter((puller) => !puller.running).map((puller) => puller.start()));
  }

  async #open(): Promise<Puller[]> {
    const { link, streams, messagesMax, bytesMax, onNews } = this.#options;
    const positions = this.#places.flatMap((place) => (place === undefined ? [] : [place.position]));
    const topic = this.name;
    const known = positions.find(({ logId }) => logId !== "");
    const sequence = Math.max(...positions.map(({ logId, nextOffset }) => (logId === "" ? 0 : nextOffset - 1)));
    const info = await settledInfo(streams, topic, { logId: known?.logId ?? "", sequence });
    await compareLog(streams, info, topic, positions);
    this.#logId = info.created;
    this.#firstKept = Math.max(info.state.first_seq, 1);
    const starts = startsOf(positions, this.#firstKept);
    await this.#leap(starts, info.state.last_seq);
    const { partitions, recordMax } = await streams.topic(topic);
    return sharesOf(topic, starts, partitions).map((share) => {
      const unread = [...share.from.keys()].every((partition) => this.#places[partition]!.position.logId === "");
      const bounds = { messagesMax, bytesMax, recordMax: Number.isFinite(recordMax) ? recordMax : bytesMax };
      return new Puller({ link, streams, topic, logId: info.created, ...share, unread, ...bounds, onNews });
    });
  }

  /** A partition far behind the others mostly has nothing there: it begins at its next message, wherever that is. */
  async #leap(starts: Map<number, number>, last: number): Promise<void> {
    const { streams } = this.#options;
    const leaps = laggards(starts).map(async (partition) => {
      const next = await streams.next(this.name, starts.get(partition)!, partitionFilter(this.name, partition));
      starts.set(partition, next?.sequence ?? last + 1);
    });
    await Promise.all(leaps);
  }

  /** Resolves when everything is received or something is on its way. Throws as `Reader.fetch` does. */
  async confirm(): Promise<void> {
    const infos = await Promise.all(this.#live.map((puller) => puller.confirm()));
    for (const { state } of infos) this.#firstKept = Math.max(this.#firstKept, state.first_seq);
  }

  /** Throws RETENTION_PASSED when what lies ready does not follow what was taken. */
  async confirmKept(): Promise<void> {
    for (const puller of this.#live) if (puller.hasMore) await puller.confirmKept();
  }

  /** Takes messages until there is no more room or nothing more lies ready. */
  take(into: StoredMessage[], room: Room): void {
    const pullers = this.#live;
    this.#turn += 1;
    for (let at = 0; at < pullers.length; at++) {
      const puller = pullers[(at + this.#turn) % pullers.length]!;
      const left = pullers.length - at;
      let share = at === pullers.length - 1 ? room.messages : Math.ceil(room.messages / left);
      while (puller.hasMore && share > 0 && this.#takeOne(puller, into, room)) share -= 1;
      puller.refill();
    }
  }

  /** False when there is no room for it. */
  #takeOne(puller: Puller, into: StoredMessage[], room: Room): boolean {
    const message = puller.peek();
    const bytes = message.body.length;
    if (into.length > 0 && (room.messages <= 0 || room.bytes < bytes)) return false;
    puller.take();
    room.messages -= 1;
    room.bytes -= bytes;
    into.push(message);
    const { topic, partition, offset, id } = message;
    const place = this.#places[partition]!;
    const nextOffset = offset + 1;
    place.position = { topic, partition, logId: this.#logId, nextOffset, lastOffset: offset, lastId: id };
    this.#move(place);
    return true;
  }

  #move(place: Place): void {
    if (place.moved) return;
    place.moved = true;
    this.#moved.push(place);
  }

  /** Whether positions have moved since they were last told, also past what is not a message of theirs. */
  hasMoved(): boolean {
    for (const puller of this.#live) this.#moveSilent(puller);
    return this.#moved.length > 0;
  }

  tellMoved(next: Position[]): void {
    if (!this.hasMoved()) return;
    for (const place of this.#moved) {
      place.moved = false;
      next.push(place.position);
    }
    this.#moved.length = 0;
  }

  #moveSilent(puller: Puller): void {
    const { covered } = puller;
    const mark = silentMark(this.#firstKept, covered);
    for (const partition of puller.partitions) {
      const place = this.#places[partition]!;
      const { logId, nextOffset } = place.position;
      if (logId === "" || nextOffset >= mark || nextOffset > covered || puller.isReady(partition)) continue;
      place.position = { ...place.position, nextOffset: covered + 1 };
      this.#move(place);
    }
  }

  tellAtEnd(atEnd: TopicPartition[]): void {
    for (const puller of this.#live) {
      if (!puller.ended) continue;
      for (const partition of puller.partitions) {
        if (!puller.isReady(partition)) atEnd.push(this.#places[partition]!.partition);
      }
    }
  }

  checkPulse(nowMs: number): void {
    for (const puller of this.#live) puller.checkPulse(nowMs);
  }

  /** The connection is lost: what was asked for will not come. */
  interrupt(): void {
    for (const puller of this.#live) puller.interrupt();
  }

  close(): void {
    this.#closed = true;
    for (const puller of this.#live) puller.close();
  }
}
