import { listOffsetsV9 } from "@platformatic/kafka";
import type { Cluster, PartitionPlace, TopicPlace } from "./cluster.ts";
import { nameOfError, unavailable } from "./errors.ts";
import type { Line } from "./line.ts";
import { pause } from "./pause.ts";

export const latest = -1;
export const earliest = -2;

/** Calls `ask` for each broker that leads some of these partitions, all at once. */
export async function onLeaders<T>(
  cluster: Cluster,
  partitions: readonly PartitionPlace[],
  ask: (line: Line, of: readonly PartitionPlace[]) => Promise<T>,
): Promise<T[]> {
  const leaders = [...Map.groupBy(partitions, ({ leader }) => leader)];
  return await Promise.all(leaders.map(([leader, of]) => ask(cluster.line(leader, "ask"), of)));
}

/** Repeats what fails for want of a leader, until the deadline of a request; `work` gets the topic as it is now. */
export async function whileElecting<T>(
  cluster: Cluster,
  name: string,
  work: (topic: TopicPlace) => Promise<T>,
): Promise<T> {
  const untilMs = performance.now() + cluster.requestMs;
  for (;;) {
    const topic = await cluster.look(name);
    try {
      return await work(topic);
    } catch (error) {
      cluster.alive();
      if (!(error instanceof Electing) || performance.now() > untilMs)
        throw error instanceof Electing ? error.shown : error;
      await pause(50);
    }
  }
}

/** A partition has no leader now, or another than was thought. */
export class Electing extends Error {
  get shown(): Error {
    return unavailable(this.message);
  }
}

/** The offset of each partition at a time, or at an end of the log; -1: there is none. */
export async function offsetsAt(
  cluster: Cluster,
  { name, partitions }: TopicPlace,
  atMs: number,
): Promise<ReadonlyMap<number, number>> {
  const leaderless = partitions.find(({ leader }) => leader < 0);
  if (leaderless !== undefined)
    throw new Electing(`Partition ${leaderless.partition} of topic "${name}" has no leader.`);
  const offsets = new Map<number, number>();
  await onLeaders(cluster, partitions, async (line, of) => {
    const asked = of.map(({ partition, epoch }) => ({
      partitionIndex: partition,
      currentLeaderEpoch: epoch,
      timestamp: BigInt(atMs),
    }));
    const answer = await line.call<listOffsetsV9.ListOffsetsResponse>(
      (connection, done) => listOffsetsV9.api(connection, -1, 0, [{ name, partitions: asked }], done),
      cluster.requestMs,
    );
    for (const { partitionIndex, errorCode, offset } of answer.topics[0]?.partitions ?? []) {
      if (errorCode !== 0) {
        throw new Electing(`Kafka says ${nameOfError(errorCode)} of partition ${partitionIndex} of topic "${name}".`);
      }
      offsets.set(partitionIndex, Number(offset));
    }
  });
  return offsets;
}
