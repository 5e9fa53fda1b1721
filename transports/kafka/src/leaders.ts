import type { TopicPartition } from "@waybill/messaging";
import { partitionOf, type Cluster, type TopicPlace } from "./cluster.ts";
import { unavailable } from "./errors.ts";
import { pause } from "./pause.ts";

/** Who led a partition when something went wrong, and until when another leader is waited for. */
interface Suspicion {
  readonly leader: number;
  readonly epoch: number;
  readonly untilMs: number;
}

/** For how long the brokers may still name a leader that is none. */
const suspectMs = 1_000;
const pauseMs = 50;

/** Which broker an append goes to, after a failure only once there is one that can be reached. */
export class Leaders {
  readonly #cluster: Cluster;
  readonly #suspicions = new Map<string, Suspicion>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** The leader if it is known and nothing is wrong with it. */
  ready({ topic, partition }: TopicPartition): number | undefined {
    if (this.#suspicions.has(`${topic}/${partition}`)) return undefined;
    const leader = this.#cluster.known(topic)?.partitions[partition]?.leader ?? -1;
    return leader < 0 || !this.#cluster.nodes.has(leader) ? undefined : leader;
  }

  /** Something went wrong with an append; `topic` is where it was thought to be, if that may be wrong. */
  suspect({ topic: name, partition }: TopicPartition, topic: TopicPlace | undefined): void {
    const { leader = -1, epoch = -1 } = topic?.partitions[partition] ?? {};
    this.#suspicions.set(`${name}/${partition}`, { leader, epoch, untilMs: performance.now() + suspectMs });
  }

  /** The leader, as soon as there is one that takes connections. Throws TRANSPORT_UNAVAILABLE after the deadline. */
  async find(of: TopicPartition, signal: AbortSignal, untilMs: number): Promise<number> {
    const name = `${of.topic}/${of.partition}`;
    for (;;) {
      const suspicion = this.#suspicions.get(name);
      const { leader, epoch } = partitionOf(await this.#cluster.look(of.topic), of.partition);
      const same = suspicion?.leader === leader && suspicion.epoch === epoch;
      const wait = leader < 0 || (same && performance.now() < suspicion.untilMs);
      if (!wait && (await this.#opens(leader))) {
        if (this.#suspicions.get(name) === suspicion) this.#suspicions.delete(name);
        return leader;
      }
      this.#cluster.alive();
      if (signal.aborted || performance.now() >= untilMs) {
        throw unavailable(`Partition ${of.partition} of topic "${of.topic}" has no leader that can be reached.`, {
          ...of,
        });
      }
      await pause(pauseMs, signal);
    }
  }

  async #opens(leader: number): Promise<boolean> {
    try {
      await this.#cluster.line(leader, "append").opened();
      return true;
    } catch {
      return false;
    }
  }
}
