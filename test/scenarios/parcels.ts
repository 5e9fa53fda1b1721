import { command, event, service, state, topic, when, type Held, type Out } from "@waybill/messaging";
import { type } from "arktype";

/** The steps that a service has seen of a parcel, in the order in which it handled them. */
export interface Trail {
  readonly steps: readonly number[];
}

export const trail = state<Trail>("trail");

/**
 * Two services, the smallest conversation that there is: a gate takes scans at a door and tells a ledger of them. Both keep
 * the steps of each parcel, so that one that is lost, comes twice or out of order shows. Topics are of this name alone.
 */
export function parcels(name: string) {
  const door = topic(`${name}-in`, { door: true, dedupeMs: 3_600_000 });
  const scans = topic(`${name}-scans`, { writers: ["gate"] });
  const schema = type({ id: "string", step: "number.integer", "note?": "string" });
  const about = { schema, subject: (m: { id: string }) => m.id, samples: [{ id: "a", step: 1 }] };
  const scan = command("parcel.scan", { topic: door, ...about });
  const scanned = event("parcel.scanned", { topic: scans, ...about });

  const keep = (step: number, held: Held<Trail>, out: Out): void => {
    out.save(held, { steps: [...(held.value?.steps ?? []), step] });
  };
  const gate = service("gate", {
    sends: [scanned],
    on: [
      when(
        scan,
        (m) => [trail(m.id)],
        ({ id, step }, [held], out) => {
          keep(step, held, out);
          out.send(scanned, { id, step });
        },
      ),
    ],
  });
  const ledger = service("ledger", {
    on: [
      when(
        scanned,
        (m) => [trail(m.id)],
        ({ step }, [held], out) => keep(step, held, out),
      ),
    ],
  });
  return { door, scans, scan, scanned, services: { gate, ledger } };
}
