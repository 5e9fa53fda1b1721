import { compressionsAlgorithmsByBitmask, crc32c } from "@platformatic/kafka";
import type { StoredMessage } from "@waybill/messaging";
import { ByteReader } from "./bytes.ts";
import { unavailable } from "./errors.ts";
import { EnvelopeReader } from "./headers.ts";
import { checkedFrom, headBytes } from "./record-batch.ts";

export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

const compressedBits = 0b111;
const appendTimeBit = 0b1000;
const transactionalBit = 0b1_0000;
const controlBit = 0b10_0000;

const envelopes = new EnvelopeReader();

/** The records of one partition as a broker sent them; they are made messages one by one, when they are asked for. */
export class Records {
  readonly #topic: string;
  readonly #partition: number;
  readonly #batches: ByteReader;
  readonly #aborted: AbortedTransaction[];
  readonly #abortedProducers = new Set<bigint>();
  readonly #fromOffset: number;
  /** The records of the batch that is open; of a packed one, unpacked. */
  readonly #records = new ByteReader(Buffer.alloc(0));
  #left = 0;
  #baseOffset = 0;
  #lastOffset = -1;
  #baseMs = 0;
  #appendMs: number | undefined;
  #peeked = false;
  #record = { offset: -1, timestampMs: 0, keyStart: 0, keyEnd: 0, valueStart: 0, valueEnd: 0, headersAt: 0 };
  #recordEnd = 0;
  #size = 0;
  /** One past the last offset that was passed. */
  nextOffset: number;
  /** The leader's epoch of the last batch that was passed; below 0: none was. */
  epoch = -1;

  constructor(options: {
    topic: string;
    partition: number;
    bytes: Buffer;
    aborted: readonly AbortedTransaction[];
    /** What lies before is passed over: a broker sends whole batches. */
    fromOffset: number;
  }) {
    this.#topic = options.topic;
    this.#partition = options.partition;
    this.#batches = new ByteReader(options.bytes);
    this.#aborted = options.aborted.toSorted((a, b) => a.firstOffset - b.firstOffset);
    this.#fromOffset = options.fromOffset;
    this.nextOffset = options.fromOffset;
  }

  /** Whether there is a message; transactions' marks, and what was given up, are none. */
  hasMore(): boolean {
    while (!this.#peeked) {
      if (this.#left > 0) this.#peek();
      else {
        this.#passBatch();
        if (!this.#openBatch()) return false;
      }
    }
    return true;
  }

  /** The size of the message that is next, as it lies in the log. Only after `hasMore` has said that there is one. */
  get size(): number {
    return this.#size;
  }

  get offset(): number {
    return this.#record.offset;
  }

  /** The next message. Only after `hasMore` has said that there is one. */
  take(): StoredMessage {
    this.#peeked = false;
    this.nextOffset = this.#record.offset + 1;
    const message = envelopes.read(this.#records.buffer, this.#record, this.#topic, this.#partition);
    this.#records.at = this.#recordEnd;
    return message;
  }

  #passBatch(): void {
    this.nextOffset = Math.max(this.nextOffset, this.#lastOffset + 1);
  }

  /** Reads one record's places; passes over it if it is before the first that is wanted. */
  #peek(): void {
    const records = this.#records;
    this.#left -= 1;
    const length = records.varint();
    const end = records.at + length;
    records.at += 1;
    const timestampMs = this.#baseMs + records.varlong();
    const offset = this.#baseOffset + records.varint();
    if (offset < this.#fromOffset) {
      records.at = end;
      return;
    }
    const record = this.#record;
    record.offset = offset;
    record.timestampMs = this.#appendMs ?? timestampMs;
    const keyLength = records.varint();
    record.keyStart = records.at;
    record.keyEnd = records.at + keyLength;
    records.at += Math.max(keyLength, 0);
    const valueLength = records.varint();
    record.valueStart = records.at;
    records.at += Math.max(valueLength, 0);
    record.valueEnd = records.at;
    record.headersAt = records.at;
    this.#recordEnd = end;
    this.#size = length;
    this.#peeked = true;
  }

  /** Opens the next batch that holds messages; false when there is no whole one left. */
  #openBatch(): boolean {
    const { buffer } = this.#batches;
    for (;;) {
      const start = this.#batches.at;
      if (start + headBytes > buffer.length) return false;
      const end = start + 12 + buffer.readInt32BE(start + 8);
      if (end > buffer.length) return false;
      this.#check(buffer, start, end);
      this.#batches.at = end;
      const isMessages = this.#readHead(buffer, start, end);
      if (isMessages) return true;
      this.#passBatch();
    }
  }

  #check(buffer: Buffer, start: number, end: number): void {
    if (crc32c(buffer.subarray(start + checkedFrom, end)) === buffer.readUInt32BE(start + checkedFrom - 4)) return;
    throw unavailable(
      `Kafka sent a damaged batch of topic "${this.#topic}", partition ${this.#partition}: its checksum is wrong.`,
      { topic: this.#topic, partition: this.#partition },
    );
  }

  #readHead(buffer: Buffer, start: number, end: number): boolean {
    const head = new ByteReader(buffer, start);
    this.#baseOffset = head.int64();
    head.at += 4;
    this.epoch = head.int32();
    head.at = start + checkedFrom;
    const bits = head.int16();
    this.#lastOffset = this.#baseOffset + head.int32();
    this.#baseMs = head.int64();
    const maxMs = head.int64();
    this.#appendMs = (bits & appendTimeBit) === 0 ? undefined : maxMs;
    const producerId = head.bigint64();
    head.at += 6;
    const count = head.int32();
    if (producerId >= 0n) this.#noteAborted();
    if ((bits & controlBit) !== 0) {
      this.#endTransaction(buffer, head.at, producerId);
      return false;
    }
    if ((bits & transactionalBit) !== 0 && this.#abortedProducers.has(producerId)) return false;
    if (this.#lastOffset < this.#fromOffset) return false;
    this.#open(buffer, head.at, end, bits & compressedBits);
    this.#left = count;
    return true;
  }

  #open(buffer: Buffer, start: number, end: number, compression: number): void {
    if (compression === 0) {
      this.#records.buffer = buffer;
      this.#records.at = start;
      return;
    }
    const algorithm = compressionsAlgorithmsByBitmask[compression];
    if (algorithm === undefined) throw unavailable(`Kafka sent a batch packed in an unknown way, ${compression}.`);
    this.#records.buffer = algorithm.decompressSync(buffer.subarray(start, end));
    this.#records.at = 0;
  }

  /** What a producer wrote is given up from the first offset that the broker names to the transaction's mark. */
  #noteAborted(): void {
    while (this.#aborted.length > 0 && this.#aborted[0]!.firstOffset <= this.#lastOffset) {
      this.#abortedProducers.add(this.#aborted.shift()!.producerId);
    }
  }

  /** The mark's key says in its second number what became of the transaction: 0, it was aborted. */
  #endTransaction(buffer: Buffer, at: number, producerId: bigint): void {
    const record = new ByteReader(buffer, at);
    record.varint();
    record.at += 1;
    record.varlong();
    record.varint();
    record.varint();
    record.int16();
    if (record.int16() === 0) this.#abortedProducers.delete(producerId);
  }
}
