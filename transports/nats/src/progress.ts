import type { Position } from "@waybill/messaging";
import type { Link } from "./link.ts";
import type { Streams } from "./streams.ts";

/** A service's place is shown anew this often, per topic, and only if it has moved. */
const everyMs = 10_000;
/** A service that is gone for a day is no longer listed. */
const forgottenAfterMs = 86_400_000;
const nanosPerMs = 1e6;

interface Shown {
  readonly atMs: number;
  readonly sequence: number;
}

/**
 * Shows how far a service has come as a consumer that nobody pulls: `nats consumer report orders` then has its lag, and
 * `nats consumer info` its positions. It holds nothing back and is never read here.
 */
export class Progress {
  readonly #link: Link;
  readonly #streams: Streams;
  readonly #shown = new Map<string, Shown>();

  constructor(link: Link, streams: Streams) {
    this.#link = link;
    this.#streams = streams;
  }

  async report(service: string, positions: readonly Position[]): Promise<void> {
    const nowMs = performance.now();
    const topics = Map.groupBy(positions, (position) => position.topic);
    for (const [topic, of] of topics) {
      const name = `${topic}/${service}`;
      const shown = this.#shown.get(name);
      // Silent partitions are left behind on purpose; the one that is furthest tells how far the service is.
      const sequence = Math.max(1, ...of.map(({ nextOffset }) => nextOffset));
      if (shown !== undefined && (nowMs - shown.atMs < everyMs || shown.sequence === sequence)) continue;
      this.#shown.set(name, { atMs: nowMs, sequence });
      await this.#show(topic, service, sequence, of);
    }
  }

  async #show(topic: string, service: string, sequence: number, positions: readonly Position[]): Promise<void> {
    const name = `service-${service.replace(/[^A-Za-z0-9_-]/g, "_")}`;
    const next = Object.fromEntries(positions.map(({ partition, nextOffset }) => [partition, nextOffset]));
    const config = {
      durable_name: name,
      name,
      description: `How far ${service} has come. Nobody reads through this.`,
      metadata: { "waybill-service": service, "waybill-next": JSON.stringify(next) },
      ack_policy: "none",
      deliver_policy: "by_start_sequence",
      opt_start_seq: sequence,
      replay_policy: "instant",
      inactive_threshold: forgottenAfterMs * nanosPerMs,
      mem_storage: true,
      num_replicas: 1,
    };
    try {
      await this.#link.api(`CONSUMER.DELETE.${topic}.${name}`).catch(() => undefined);
      await this.#link.api(`CONSUMER.CREATE.${topic}.${name}`, { stream_name: topic, config, action: "create" });
    } catch (error) {
      throw this.#streams.failure(error);
    }
  }
}
