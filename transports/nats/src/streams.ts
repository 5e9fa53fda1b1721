import { WaybillError, type TopicSpec } from "@waybill/messaging";
import type { StreamInfo } from "@nats-io/jetstream";
import { isRefusal, Refusal, refusals, type Link } from "./link.ts";
import type { StreamRecord } from "./record.ts";
import { refuseImpossible, refuseOther, streamOf, topicOf, type StreamTopic } from "./stream-config.ts";
import { isTopicName, partitionFilter } from "./subject.ts";

/** A stored message as STREAM.MSG.GET gives it: bytes as base64. */
interface StoredAnswer {
  readonly message: {
    readonly subject: string;
    readonly seq: number;
    readonly hdrs?: string;
    readonly data?: string;
    readonly time: string;
  };
}

/**
 * The streams that topics are. All questions go to a stream's leader: a replica that lags behind would deny what was
 * stored, and a reader that believes it would think that it is at the end.
 */
export class Streams {
  readonly #link: Link;
  readonly #known = new Map<string, StreamTopic>();

  constructor(link: Link) {
    this.#link = link;
  }

  async declare(spec: TopicSpec): Promise<void> {
    if (!isTopicName(spec.name)) {
      throw new WaybillError(
        "CONTRACT_INVALID",
        `Topic "${spec.name}": a stream's name has letters, digits, dashes and underscores only, at most 63.`,
        { details: { topic: spec.name } },
      );
    }
    const found = (await this.#find(spec.name)) ?? (await this.#create(spec));
    refuseOther(found.config, spec);
    this.#known.set(spec.name, topicOf(found));
  }

  async #find(name: string): Promise<StreamInfo | undefined> {
    try {
      return await this.#link.api<StreamInfo>(`STREAM.INFO.${name}`);
    } catch (error) {
      if (isRefusal(error, refusals.noStream)) return undefined;
      throw this.failure(error);
    }
  }

  async #create(spec: TopicSpec): Promise<StreamInfo> {
    refuseImpossible(spec, this.#link.server.max_payload);
    try {
      return await this.#link.api<StreamInfo>(`STREAM.CREATE.${spec.name}`, streamOf(spec));
    } catch (error) {
      // Somebody else was faster.
      const other = isRefusal(error, refusals.nameInUse) ? await this.#find(spec.name) : undefined;
      if (other !== undefined) return other;
      throw error instanceof Refusal && error.code < 503 ? refused(spec, error) : this.failure(error);
    }
  }

  /** The stream's state now. Throws TOPIC_UNKNOWN when there is none. */
  async info(name: string): Promise<StreamInfo> {
    const info = isTopicName(name) ? await this.#find(name) : undefined;
    if (info !== undefined) {
      const topic = topicOf(info);
      if (this.#known.get(name)?.logId !== topic.logId) this.#known.set(name, topic);
      return info;
    }
    this.#known.delete(name);
    throw new WaybillError("TOPIC_UNKNOWN", `Topic "${name}" is not declared: NATS has no stream of that name.`, {
      details: { topic: name },
    });
  }

  /** What is known of a topic, asked once. Throws TOPIC_UNKNOWN. */
  async topic(name: string): Promise<StreamTopic> {
    return this.#known.get(name) ?? topicOf(await this.info(name));
  }

  known(name: string): StreamTopic | undefined {
    return this.#known.get(name);
  }

  /** To be asked again: it may be another stream by now. */
  forget(name: string): void {
    this.#known.delete(name);
  }

  /** The message at exactly this sequence. */
  async at(name: string, sequence: number): Promise<StreamRecord | undefined> {
    return await this.#get(name, { seq: sequence });
  }

  /** The first message at or after a sequence that matches. */
  async next(name: string, sequence: number, filter: string): Promise<StreamRecord | undefined> {
    return await this.#get(name, { seq: sequence, next_by_subj: filter });
  }

  /** The last message of a partition. */
  async last(name: string, partition: number): Promise<StreamRecord | undefined> {
    return await this.#get(name, { last_by_subj: partitionFilter(name, partition) });
  }

  async #get(name: string, request: Record<string, unknown>): Promise<StreamRecord | undefined> {
    try {
      const { message } = await this.#link.api<StoredAnswer>(`STREAM.MSG.GET.${name}`, request);
      const { subject, seq: sequence, hdrs, data = "", time } = message;
      const block = hdrs === undefined ? undefined : Buffer.from(hdrs, "base64").toString("latin1");
      return { subject, sequence, storedMs: Date.parse(time), block, body: Buffer.from(data, "base64") };
    } catch (error) {
      if (isRefusal(error, refusals.noMessage)) return undefined;
      throw this.failure(error);
    }
  }

  /** Any error of the API as one of ours. */
  failure(error: unknown): unknown {
    if (!(error instanceof Refusal)) return error;
    return this.#link.unavailable(`JetStream says "${error.message}" (${error.errCode})`, error);
  }
}

/** A stream that the server will not make. */
function refused(spec: TopicSpec, error: Refusal): WaybillError {
  return new WaybillError(
    "CONTRACT_INVALID",
    `Topic "${spec.name}" cannot be made: JetStream says "${error.message}".`,
    {
      details: { topic: spec.name, errCode: error.errCode },
      cause: error,
    },
  );
}
