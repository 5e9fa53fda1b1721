import { type } from "arktype";
import { command, effect, event, service, state, timer, topic, when, whenDue, whenSettled } from "@waybill/messaging";

// What is said, and where. Anybody may write to a door; on the other topic only this service speaks.
const returnsIn = topic("returns-in", { door: true });
const returns_ = topic("returns", { writers: ["returns"] });
const id = type("1 <= string <= 200");
const subject = (m: { returnId: string }) => m.returnId;

export const returnRequest = command("return.request", {
  topic: returnsIn,
  schema: type({ "+": "reject", returnId: id, orderId: id, email: "string.email" }),
  subject,
  samples: [{ returnId: "r-1", orderId: "o-1", email: "ann@example.org" }],
});

export const returnOpened = event("return.opened", {
  topic: returns_,
  schema: type({ returnId: id, orderId: id, label: "string" }),
  subject,
  samples: [{ returnId: "r-1", orderId: "o-1", label: "L-1" }],
});

export const returnLapsed = event("return.lapsed", {
  topic: returns_,
  schema: type({ returnId: id, orderId: id }),
  subject,
  samples: [{ returnId: "r-1", orderId: "o-1" }],
});

// What is remembered, what is waited for, and what is asked of the outside.
interface Parcel {
  readonly orderId: string;
  readonly status: "asked" | "open" | "lapsed";
}
export const parcel = state<Parcel>("parcel");
export const lapse = timer("lapse");
export const printLabel = effect<{ returnId: string; email: string }, { label: string }>("label.print", {
  queue: "carrier",
});

const fortnightMs = 14 * 86_400_000;

export const returns = service("returns", {
  on: [
    when(
      returnRequest,
      (m) => [parcel(m.returnId)],
      ({ returnId, orderId, email }, [held], out) => {
        if (held.value !== undefined) return; // The same request twice is one return.
        out.save<Parcel>(held, { orderId, status: "asked" });
        out.effect(printLabel, { returnId, email });
      },
    ),
    whenSettled(
      printLabel,
      ({ input }) => [parcel(input.returnId)],
      ({ input, outcome }, [held], out) => {
        if (held.value === undefined || outcome.kind !== "done") return;
        const { orderId } = held.value;
        out.save<Parcel>(held, { orderId, status: "open" });
        out.send(returnOpened, { returnId: input.returnId, orderId, label: outcome.value.label });
        out.at(lapse, out.nowMs + fortnightMs);
      },
    ),
    whenDue(
      lapse,
      (fired) => [parcel(fired.key)],
      ({ key }, [held], out) => {
        if (held.value?.status !== "open") return;
        out.save<Parcel>(held, { ...held.value, status: "lapsed" });
        out.send(returnLapsed, { returnId: key, orderId: held.value.orderId });
      },
    ),
  ],
  sends: [returnOpened, returnLapsed],
});
