import { findCoordinatorV6, FindCoordinatorKeyTypes, offsetCommitV9 } from "@platformatic/kafka";
import type { Position } from "@waybill/messaging";
import type { Cluster } from "./cluster.ts";
import { nameOfError, unavailable } from "./errors.ts";

/** How long positions are gathered before they are told. */
const gatherMs = 1_000;

/** What of one service is yet to be told. */
interface Progress {
  readonly positions: Map<string, Position>;
  timer: NodeJS.Timeout | undefined;
  telling: boolean;
}

/**
 * Tells Kafka how far a service has read, as the offsets of a group of its name, for Kafka's own tools. Nobody waits for it:
 * the last positions of each second are told, and if that fails the next ones are.
 */
export class Reports {
  readonly #cluster: Cluster;
  readonly #services = new Map<string, Progress>();
  readonly #coordinators = new Map<string, number>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  add(service: string, positions: readonly Position[]): void {
    const progress = this.#services.get(service) ?? { positions: new Map(), timer: undefined, telling: false };
    this.#services.set(service, progress);
    for (const position of positions) progress.positions.set(`${position.topic}/${position.partition}`, position);
    this.#later(service, progress);
  }

  #later(service: string, progress: Progress): void {
    if (progress.timer !== undefined || progress.telling || progress.positions.size === 0) return;
    progress.timer = setTimeout(() => {
      progress.timer = undefined;
      void this.#tell(service, progress);
    }, gatherMs);
    progress.timer.unref();
  }

  async #tell(service: string, progress: Progress): Promise<void> {
    const positions = [...progress.positions.values()];
    progress.positions.clear();
    progress.telling = true;
    try {
      await this.#commit(service, positions);
    } catch {
      // Advisory: the coordinator is looked for again with the positions that come next.
      this.#coordinators.delete(service);
    }
    progress.telling = false;
    this.#later(service, progress);
  }

  async #commit(service: string, positions: readonly Position[]): Promise<void> {
    const topics = [...Map.groupBy(positions, ({ topic }) => topic)].map(([name, of]) => ({
      name,
      partitions: of.map(({ partition, nextOffset }) => ({
        partitionIndex: partition,
        committedOffset: BigInt(nextOffset),
        committedLeaderEpoch: -1,
      })),
    }));
    const coordinator = this.#coordinators.get(service) ?? (await this.#coordinatorOf(service));
    const answer = await this.#cluster
      .line(coordinator, "report")
      .call<offsetCommitV9.OffsetCommitResponse>(
        (connection, done) => offsetCommitV9.api(connection, service, -1, "", null, topics, done),
        this.#cluster.requestMs,
      );
    for (const { partitions } of answer.topics) {
      for (const { errorCode } of partitions) if (errorCode !== 0) throw unavailable(nameOfError(errorCode));
    }
  }

  async #coordinatorOf(service: string): Promise<number> {
    const answer = await this.#cluster.ask<findCoordinatorV6.FindCoordinatorResponse>((connection, done) =>
      findCoordinatorV6.api(connection, FindCoordinatorKeyTypes.GROUP, [service], done),
    );
    const { nodeId, errorCode } = answer.coordinators[0]!;
    if (errorCode !== 0) throw unavailable(nameOfError(errorCode));
    this.#coordinators.set(service, nodeId);
    return nodeId;
  }

  /** Forgets what was not told yet. */
  close(): void {
    for (const { timer } of this.#services.values()) clearTimeout(timer);
  }
}
