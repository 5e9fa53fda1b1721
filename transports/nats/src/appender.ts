import { WaybillError } from "@waybill/messaging";
import { nuid } from "@nats-io/transport-node";
import type { PubAck } from "@nats-io/jetstream";
import { batchBytesMax, batchLines, batchMessagesMax, sizeOf, type Outgoing } from "./batch.ts";
import { headerBlock } from "./headers.ts";
import { Refusal, type Link } from "./link.ts";

/** A piece of one destination's messages that waits for its place in a batch. */
interface Piece {
  readonly messages: readonly Outgoing[];
  readonly bytes: number;
  readonly done: (first: number) => void;
  readonly failed: (error: unknown) => void;
}

/** The sequence of a piece's first message; the others follow it without a gap. */
export type Stored = number;

/**
 * Appends to one stream. While a batch is under way, whatever comes waits and shares the next one: batches become few
 * and large as the load grows, which is what makes a synced log fast. All pieces of a batch share its fate.
 */
export class Appender {
  readonly #link: Link;
  readonly #topic: string;
  readonly #waiting: Piece[] = [];
  #underWay = 0;
  #messagesMax = batchMessagesMax;

  constructor(link: Link, topic: string) {
    this.#link = link;
    this.#topic = topic;
  }

  /** Resolves with the first message's sequence when all are stored. Rejects when that is not known or not so. */
  add(messages: readonly Outgoing[]): Promise<Stored> {
    return new Promise((done, failed) => {
      const bytes = messages.reduce((sum, message) => sum + sizeOf(message), 0);
      // What one call appends to several partitions comes in one turn, and goes into one batch.
      if (this.#waiting.length === 0) queueMicrotask(() => this.#pump());
      this.#waiting.push({ messages, bytes, done, failed });
    });
  }

  /** How many messages a batch may have here; less than usual once the server has said so. */
  get messagesMax(): number {
    return this.#messagesMax;
  }

  #pump(): void {
    while (this.#underWay < underWayMax && this.#waiting.length > 0) {
      const pieces = this.#take();
      this.#underWay += 1;
      void this.#send(pieces).finally(() => {
        this.#underWay -= 1;
        this.#pump();
      });
    }
  }

  /** As many of those that wait as fit into one batch; at least one. */
  #take(): Piece[] {
    let messages = 0;
    let bytes = 0;
    const over = this.#waiting.findIndex((piece) => {
      messages += piece.messages.length;
      bytes += piece.bytes;
      return messages > this.#messagesMax || bytes > batchBytesMax;
    });
    return this.#waiting.splice(0, over < 0 ? this.#waiting.length : Math.max(over, 1));
  }

  async #send(pieces: readonly Piece[]): Promise<void> {
    try {
      const messages = pieces.length === 1 ? pieces[0]!.messages : pieces.flatMap((piece) => piece.messages);
      let first = (await this.#publish(messages)) - messages.length + 1;
      for (const piece of pieces) {
        piece.done(first);
        first += piece.messages.length;
      }
    } catch (error) {
      for (const piece of pieces) piece.failed(error);
    }
  }

  /** Publishes all or none, and returns the last sequence. */
  async #publish(messages: readonly Outgoing[]): Promise<number> {
    const last = messages.length - 1;
    const id = last > 0 ? nuid.next() : "";
    for (let at = 0; at < last; at++) {
      const { subject, lines, body } = messages[at]!;
      this.#link.publish(subject, body, headerBlock(batchLines(id, at + 1, false) + lines));
    }
    const { subject, lines, body } = messages[last]!;
    const block = headerBlock(last > 0 ? batchLines(id, last + 1, true) + lines : lines);
    const answer = await this.#link.request(subject, body, block);
    const ack = answer.json<
      PubAck & { count?: number; error?: { code: number; err_code: number; description: string } }
    >();
    if (ack.error !== undefined) throw this.#refusal(new Refusal(ack.error), messages.length);
    if (last > 0 && ack.count !== messages.length) {
      throw this.#link.unavailable(`${ack.count ?? 0} of a batch of ${messages.length} were confirmed`);
    }
    return ack.seq;
  }

  #refusal(refusal: Refusal, count: number): Error {
    const details = { topic: this.#topic, errCode: refusal.errCode };
    if (refusal.errCode === refusedBatch.tooLarge) this.#messagesMax = limitIn(refusal.message) ?? Math.ceil(count / 2);
    if (refusal.errCode === refusedBatch.disabled) {
      const text = `The stream "${this.#topic}" takes no atomic batches (allow_atomic is off).`;
      return new WaybillError("TOPIC_MISMATCH", text, { details, cause: refusal });
    }
    if (refusal.errCode === refusedBatch.messageTooLarge) {
      const text = `The stream "${this.#topic}" refuses a message for its size (max_msg_size).`;
      return new WaybillError("MESSAGE_TOO_LARGE", text, { details, cause: refusal });
    }
    return this.#link.unavailable(`topic "${this.#topic}" did not take an append: ${refusal.message}`, refusal);
  }
}

/** "atomic publish batch is too large: 500": the limit is all that a server ever tells of its limits for batches. */
function limitIn(text: string): number | undefined {
  const limit = Number(/(\d+)$/.exec(text)?.[1]);
  return limit >= 1 ? limit : undefined;
}

/** Batches of ours that a stream has open at a time, of the 50 that a server allows for all its clients. */
const underWayMax = 2;

const refusedBatch = { tooLarge: 10_199, disabled: 10_174, messageTooLarge: 10_054 } as const;
