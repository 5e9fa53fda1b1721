import type { Batch } from "@waybill/messaging";

/** A message as its sender committed it. */
export interface Said {
  readonly service: string;
  readonly topic: string;
  readonly partition: number;
  readonly subject: string;
  readonly id: string;
  readonly type: string;
  readonly atMs: number;
}

/** What the database has kept for others to read, in the order of the commits. */
export class Ledger {
  readonly said: Said[] = [];
  readonly batches: Record<string, number> = {};

  committed({ service, messages }: Batch): void {
    this.batches[service] = (this.batches[service] ?? 0) + 1;
    for (const { topic, partition, subject, id, type, atMs, producer } of messages) {
      if (producer === service) this.said.push({ service, topic, partition, subject, id, type, atMs });
    }
  }
}
