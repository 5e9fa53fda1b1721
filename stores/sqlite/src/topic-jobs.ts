import { WaybillError, type TopicSpec } from "@waybill/messaging";
import { change } from "./change.ts";
import type { Committer } from "./committer.ts";
import type { FileLog } from "./file-log.ts";
import type { Cell } from "./tables.ts";
import type { TopicLog } from "./topic-log.ts";

/** Registers a service's positions on topics where it has none yet, at the first offset kept. */
export async function subscribe(
  committer: Committer,
  log: FileLog,
  service: string,
  topics: readonly string[],
): Promise<void> {
  const wanted = topics.map((name) => log.topic(name));
  /** Also holds back the retention of the wave that writes it. */
  const enter = (): Cell[] =>
    wanted.flatMap(({ spec: { name, partitions }, logId, firstOffset }) => {
      log.progress.register(service, name, partitions, firstOffset);
      return Array.from({ length: partitions }, (_, partition) => [
        service,
        name,
        partition,
        logId,
        firstOffset,
      ]).flat();
    });
  await change(committer, enter, (wave, cells) => wave.extra.push({ write: "positionRegister", cells }));
}

/** Changes what may be changed of a topic. */
export async function configure(committer: Committer, log: FileLog, spec: TopicSpec): Promise<void> {
  const topic = log.topic(spec.name);
  const { partitions } = topic.spec;
  if (spec.partitions !== partitions) {
    const text = `Topic "${spec.name}" has ${partitions} partitions for its life; it cannot have ${spec.partitions}.`;
    throw new WaybillError("TOPIC_MISMATCH", text, { details: { topic: spec.name, setting: "partitions" } });
  }
  const enter = (): TopicLog => {
    topic.spec = { ...spec };
    return topic;
  };
  await change(committer, enter, (wave) => wave.topics.add(topic));
}
