import { shipmentDispatched } from "@waybill/contracts";
import type { Batch } from "@waybill/messaging";

/** A message as its sender committed it. */
export interface Said {
  readonly topic: string;
  readonly subject: string;
  readonly id: string;
  readonly type: string;
}

/** What the database has kept, in the order of the commits, and what it should never have been given. */
export class Ledger {
  readonly said: Said[] = [];
  readonly errors: string[] = [];
  /** Orders whose goods have left, as far as anybody said. */
  readonly sentOff = new Set<string>();
  /** The newest version in which each state was ever written; those of the first need no entry, for none is older. */
  readonly #schemas = new Map<string, number>();

  committed({ service, messages, states }: Batch): void {
    for (const { topic, subject, id, type, producer } of messages) {
      if (producer !== service) continue;
      this.said.push({ topic, subject, id, type });
      if (type === shipmentDispatched.name) this.sentOff.add(subject);
    }
    for (const { kind, id, schema } of states) {
      if (schema === 1 && this.#schemas.size === 0) continue;
      const name = `${service} ${kind} ${id}`;
      const newest = this.#schemas.get(name) ?? 0;
      if (schema < newest) this.errors.push(`${name} was written by an older build than before`);
      this.#schemas.set(name, Math.max(schema, newest));
    }
  }

  /** A service's tables were put back, and with them which build wrote there last. */
  rewound(service: string): void {
    for (const name of this.#schemas.keys()) if (name.startsWith(`${service} `)) this.#schemas.delete(name);
  }
}
