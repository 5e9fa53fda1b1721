import type { ConnectionOptions } from "@platformatic/kafka";
import { metadataV12 } from "@platformatic/kafka";
import { closed, nameOfError, partitionUnknown, topicUnknown, unavailable } from "./errors.ts";
import { Line, type Endpoint, type Send } from "./line.ts";
import { versionOf, type Version } from "./version.ts";

export interface PartitionPlace {
  readonly partition: number;
  /** The number of the broker that leads it; below 0 while there is none. */
  readonly leader: number;
  readonly epoch: number;
  readonly replicas: readonly number[];
  readonly inSync: readonly number[];
}

/** Where the partitions of a topic are, as the brokers said last. */
export interface TopicPlace {
  readonly name: string;
  readonly id: string;
  readonly partitions: readonly PartitionPlace[];
}

export interface ClusterOptions {
  readonly bootstrap: readonly Endpoint[];
  readonly clientId: string;
  readonly connection: ConnectionOptions;
  /** The deadline of a request that need not wait for anything. */
  readonly requestMs: number;
}

/** What a connection is for. A broker answers one connection's requests in order, so what may wait has its own. */
export type Purpose = "ask" | "append" | "read" | "report" | `poll-${number}`;

/** The brokers: connections to them, and where topics are. */
export class Cluster {
  readonly requestMs: number;
  readonly #options: ClusterOptions;
  readonly #nodes = new Map<number, Endpoint>();
  readonly #lines = new Map<string, Line>();
  readonly #topics = new Map<string, TopicPlace>();
  readonly #asking = new Map<string, Promise<TopicPlace>>();
  #version: Version | undefined;
  #closed = false;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.requestMs = options.requestMs;
  }

  /** Connects to the first broker that answers and looks what it is. */
  async open(): Promise<void> {
    const { bootstrap, requestMs } = this.#options;
    let failed: unknown;
    for (const endpoint of bootstrap) {
      const line = this.#line(endpoint, "ask");
      try {
        this.#version = await versionOf(line, requestMs);
        await this.#metadata([], line);
        return;
      } catch (error) {
        line.close();
        failed = error;
      }
    }
    throw failed;
  }

  get version(): Version {
    return this.#version!;
  }

  /** Throws CLOSED after `close`. */
  alive(): void {
    if (this.#closed) throw closed("transport");
  }

  get nodes(): ReadonlyMap<number, Endpoint> {
    return this.#nodes;
  }

  /** The connection to a broker for a purpose; opened when there is none that works. */
  line(node: number, purpose: Purpose): Line {
    const endpoint = this.#nodes.get(node);
    if (endpoint === undefined) throw unavailable(`Kafka has no broker ${node} now.`, { node });
    return this.#line(endpoint, purpose);
  }

  #line(endpoint: Endpoint, purpose: Purpose): Line {
    this.alive();
    const name = `${endpoint.host}:${endpoint.port} ${purpose}`;
    const found = this.#lines.get(name);
    if (found !== undefined && !found.ended) return found;
    const line = new Line(endpoint, this.#options.clientId, this.#options.connection);
    this.#lines.set(name, line);
    return line;
  }

  /** Ends every connection of one purpose. */
  release(purpose: Purpose): void {
    for (const [name, line] of this.#lines) {
      if (!name.endsWith(` ${purpose}`)) continue;
      line.close();
      this.#lines.delete(name);
    }
  }

  /** Asks whichever broker answers. */
  async ask<T>(send: Send<T>, ms = this.requestMs): Promise<T> {
    let failed: unknown;
    for (const endpoint of this.#known()) {
      try {
        return await this.#line(endpoint, "ask").call(send, ms);
      } catch (error) {
        this.alive();
        failed = error;
      }
    }
    throw failed;
  }

  /** Brokers to ask: those whose connection works, then the others, then those that were named at the start. */
  #known(): Iterable<Endpoint> {
    const works = ({ host, port }: Endpoint): boolean => this.#lines.get(`${host}:${port} ask`)?.ended === false;
    const all = new Map<string, Endpoint>();
    for (const endpoint of [...this.#nodes.values(), ...this.#options.bootstrap]) {
      all.set(`${endpoint.host}:${endpoint.port}`, endpoint);
    }
    return [...all.values()].toSorted((a, b) => Number(works(b)) - Number(works(a)));
  }

  /** Where a topic is, from memory if it is there. Throws TOPIC_UNKNOWN when it does not exist. */
  async topic(name: string): Promise<TopicPlace> {
    return this.#topics.get(name) ?? (await this.look(name));
  }

  /** The same without waiting; undefined when it is not known. */
  known(name: string): TopicPlace | undefined {
    return this.#topics.get(name);
  }

  /** Where a topic is now. Callers at the same time share one request. */
  async look(name: string): Promise<TopicPlace> {
    this.alive();
    const asked = this.#asking.get(name);
    if (asked !== undefined) return await asked;
    const asking = this.#look(name).finally(() => this.#asking.delete(name));
    this.#asking.set(name, asking);
    return await asking;
  }

  async #look(name: string): Promise<TopicPlace> {
    const { topics } = await this.#metadata([name]);
    const found = topics.find((topic) => topic.name === name);
    if (found === undefined || nameOfError(found.errorCode) === "UNKNOWN_TOPIC_OR_PARTITION") {
      this.#topics.delete(name);
      throw topicUnknown(name);
    }
    if (found.errorCode !== 0 && nameOfError(found.errorCode) !== "LEADER_NOT_AVAILABLE") {
      throw unavailable(`Kafka says ${nameOfError(found.errorCode)} of topic "${name}".`, { topic: name });
    }
    const place = placeOf(found);
    this.#topics.set(name, place);
    return place;
  }

  /** What is remembered of the topic may be wrong: the next one to need it asks. */
  forget(name: string): void {
    this.#topics.delete(name);
  }

  /** Asks for the brokers, and for these topics. */
  async #metadata(topics: string[], line?: Line): Promise<metadataV12.MetadataResponse> {
    const send: Send<metadataV12.MetadataResponse> = (connection, done) =>
      metadataV12.api(connection, topics, false, false, done);
    const answer = await (line === undefined ? this.ask(send) : line.call(send, this.requestMs));
    this.#nodes.clear();
    for (const { nodeId, host, port } of answer.brokers) this.#nodes.set(nodeId, { host, port });
    return answer;
  }

  close(): void {
    this.#closed = true;
    for (const line of this.#lines.values()) line.close();
    this.#lines.clear();
  }
}

function placeOf({ name, topicId, partitions }: metadataV12.MetadataResponseTopic): TopicPlace {
  return {
    name: name!,
    id: topicId,
    partitions: partitions
      .map(({ partitionIndex, leaderId, leaderEpoch, replicaNodes, isrNodes }) => ({
        partition: partitionIndex,
        leader: leaderId,
        epoch: leaderEpoch,
        replicas: replicaNodes,
        inSync: isrNodes,
      }))
      .toSorted((a, b) => a.partition - b.partition),
  };
}

export function partitionOf(topic: TopicPlace, partition: number): PartitionPlace {
  const found = topic.partitions[partition];
  if (found === undefined) throw partitionUnknown(topic.name, topic.partitions.length, partition);
  return found;
}
