import type { Connection } from "./connection.ts";
import type { Wave } from "./wave.ts";

interface PositionNumbers {
  readonly service: string;
  readonly topic: string;
  readonly partition: number;
  readonly next: number;
}

/** How far each service has durably read each topic: what retention may not pass. */
export class Progress {
  /** By topic and service, the next offset of each partition; a hole where none is stored. */
  readonly #next = new Map<string, Map<string, number[]>>();

  constructor(connection: Connection) {
    const sql = "select service, topic, partition, next_offset as next from position";
    for (const { service, topic, partition, next } of connection.all<PositionNumbers>(sql)) {
      this.#of(service, topic)[partition] = next;
    }
  }

  #of(service: string, topic: string): number[] {
    let services = this.#next.get(topic);
    if (services === undefined) this.#next.set(topic, (services = new Map()));
    let next = services.get(service);
    if (next === undefined) services.set(service, (next = []));
    return next;
  }

  /** A service's positions from its first one on; a position that is known stays. */
  register(service: string, topic: string, partitions: number, offset: number): void {
    const next = this.#of(service, topic);
    for (let partition = 0; partition < partitions; partition++) next[partition] ??= offset;
  }

  /** Takes in a wave that is durable. */
  settle(wave: Wave): void {
    for (const [service, group] of wave.positions.groups) {
      for (const { row } of group.values()) {
        if (row !== undefined) this.#of(service, row.topic)[row.partition] = row.nextOffset;
      }
    }
  }

  /** Nothing is kept for this service any more. */
  forget(service: string): void {
    for (const services of this.#next.values()) services.delete(service);
  }

  /** The topics that a service has positions on, each with the first offset that is kept for it. */
  heldBy(service: string): { readonly topic: string; readonly from: number }[] {
    return [...this.#next].flatMap(([topic, services]) => {
      const next = services.get(service);
      return next === undefined ? [] : [{ topic, from: next.reduce((least, one) => Math.min(least, one), Infinity) }];
    });
  }

  /** Every service that has a position. */
  services(): Set<string> {
    return new Set([...this.#next.values()].flatMap((services) => [...services.keys()]));
  }

  /** Up to where every service has read that has a position on the topic; Infinity when none has. */
  floor(topic: string, partitions: number): number {
    let floor = Infinity;
    for (const next of this.#next.get(topic)?.values() ?? []) {
      for (let partition = 0; partition < partitions; partition++) floor = Math.min(floor, next[partition] ?? 0);
    }
    return floor;
  }
}
