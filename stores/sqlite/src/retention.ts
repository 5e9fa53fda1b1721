import type { World } from "@waybill/messaging";
import type { Connection } from "./connection.ts";
import type { FileLog } from "./file-log.ts";
import type { Job } from "./job.ts";
import { topicSpan } from "./tables.ts";
import type { TopicLog } from "./topic-log.ts";
import type { Wave } from "./wave.ts";

/** How many chunks are deleted with one wave, and how often the clock is looked at for age. */
const chunksPerStep = 64;
const everyMs = 1_000;

const oldestSql = `select off, count, bytes, at_max as atMax from chunk
  where off >= ? and off + count <= ? order by off limit ${chunksPerStep}`;

interface ChunkRow {
  readonly off: number;
  readonly count: number;
  readonly bytes: number;
  readonly atMax: number;
}

interface Trim {
  readonly topic: TopicLog;
  /** The new first offset. */
  readonly upTo: number;
  readonly bytes: number;
}

/** Deletes what topics need not keep, whole chunks at a time and with a wave, and never what a service has yet to read. */
export class Retention {
  readonly #connection: Connection;
  readonly #log: FileLog;
  readonly #world: World;
  readonly #nowMs: () => number;
  #lookedMs = -Infinity;

  constructor(options: { connection: Connection; log: FileLog; world: World; nowMs: () => number }) {
    this.#connection = options.connection;
    this.#log = options.log;
    this.#world = options.world;
    this.#nowMs = options.nowMs;
  }

  /** The deletions that are due now, as a job for the next wave; undefined when there are none. */
  due(): Job | undefined {
    const trims: Trim[] = [];
    const look = this.#world.monotonicMs() - this.#lookedMs >= everyMs;
    if (look) this.#lookedMs = this.#world.monotonicMs();
    for (const topic of this.#log.topics.values()) {
      const { retentionMs, retentionBytes } = topic.spec;
      const large = retentionBytes !== undefined && topic.bytes > retentionBytes;
      if (!large) topic.full = false;
      if (large || (look && retentionMs !== undefined)) {
        const trim = this.#trim(topic, large);
        if (trim !== undefined) trims.push(trim);
      }
    }
    return trims.length === 0 ? undefined : trimJob(trims);
  }

  #trim(topic: TopicLog, large: boolean): Trim | undefined {
    const { name, partitions } = topic.spec;
    const floor = Math.min(topic.durableOffset, this.#log.progress.floor(name, partitions));
    const base = topic.id * topicSpan;
    const chunks = this.#connection.all<ChunkRow>(oldestSql, base + topic.firstOffset, base + floor);
    const excess = large ? topic.bytes - topic.spec.retentionBytes! : 0;
    const beforeMs = this.#nowMs() - (topic.spec.retentionMs ?? Infinity);
    let upTo = topic.firstOffset;
    let bytes = 0;
    for (const chunk of chunks) {
      if (bytes >= excess && chunk.atMax >= beforeMs) break;
      bytes += chunk.bytes;
      upTo = chunk.off - base + chunk.count;
    }
    topic.full = large && upTo === topic.firstOffset;
    return upTo === topic.firstOffset ? undefined : { topic, upTo, bytes };
  }
}

function trimJob(trims: readonly Trim[]): Job {
  return {
    inputs: 0,
    enter() {
      for (const { topic, upTo, bytes } of trims) {
        topic.firstOffset = upTo;
        topic.bytes -= bytes;
      }
      return true;
    },
    write(wave: Wave) {
      for (const { topic, upTo } of trims) {
        const base = topic.id * topicSpan;
        wave.extra.push({ write: "chunkTrim", cells: [base, base + upTo] });
        wave.topics.add(topic);
      }
    },
    applied() {},
    durable() {},
    failed() {},
  };
}
