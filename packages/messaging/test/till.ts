import { type } from "arktype";
import { command, service, state, timer, topic, when, whenDue } from "@waybill/messaging";

// A second small domain: a bill is opened on one topic and paid on another, and must be paid in time.

export const billsIn = topic("bills-in", { door: true });
export const paymentsIn = topic("payments-in", { door: true });

export const openBill = command("bill.open", {
  topic: billsIn,
  schema: type({ id: "string", "withinMs?": "number" }),
  subject: (m) => m.id,
  samples: [{ id: "a" }],
});

export const payBill = command("bill.pay", {
  topic: paymentsIn,
  schema: type({ id: "string" }),
  subject: (m) => m.id,
  samples: [{ id: "a" }],
});

export interface Bill {
  readonly is: "open" | "paid" | "lapsed";
  /** Lane time at each thing that happened to it. */
  readonly atMs: readonly number[];
}

export const bill = state<Bill>("bill");
export const deadline = timer("deadline");
const halfAnHourMs = 1_800_000;

export const till = service("till", {
  on: [
    when(
      openBill,
      (m) => [bill(m.id)],
      (m, [held], out) => {
        out.save(held, { is: "open", atMs: [out.nowMs] });
        out.at(deadline, out.nowMs + (m.withinMs ?? halfAnHourMs));
      },
    ),
    when(
      payBill,
      (m) => [bill(m.id)],
      (m, [held], out) => {
        const before = held.value ?? out.notYet(`Bill ${m.id} is not open yet.`);
        if (before.is === "open") out.save(held, { is: "paid", atMs: [...before.atMs, out.nowMs] });
        out.clear(deadline);
      },
    ),
    whenDue(
      deadline,
      (t) => [bill(t.key)],
      (_t, [held], out) => {
        if (held.value?.is === "open") out.save(held, { is: "lapsed", atMs: [...held.value.atMs, out.nowMs] });
      },
    ),
  ],
});
