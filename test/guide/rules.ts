import { specification } from "@waybill/messaging/specification";
import { lapse, parcel, printLabel, returnRequest, returns } from "./returns.ts";

/** Given nothing, when somebody asks and nobody sends the parcel, then the return lapses. */
export function wholeLife() {
  const desk = specification(returns);
  const asked = desk.when(returnRequest, { returnId: "r-1", orderId: "o-1", email: "ann@example.org" });
  const [call] = asked.effects;
  const opened = desk.settled(printLabel, call!.input as never, { kind: "done", value: { label: "L-1" } });
  const lapsed = desk.due(lapse, "r-1");
  return { opened: opened.sent, timers: opened.timers, lapsed: lapsed.sent, state: desk.state(parcel("r-1")) };
}
