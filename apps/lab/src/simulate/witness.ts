import { allMessages, orderPlaced, orderReserved, stockReserved } from "@waybill/contracts";
import { service, state, timer, when, whenDue, type Service } from "@waybill/messaging";

/** By topic and entity: what was handled, in order: the ids of messages, and what the alarms said. */
export const seen = state<readonly string[]>("seen");

/** Goes off some time after an order was placed, unless something is heard of the order before. */
const alarm = timer<number>("alarm");
export const alarmMs = 8_000;

/** How an alarm stands in what was seen: `! set` with the time that it was set for, `! clear`, and `! fired`. */
export type AlarmWord = "set" | "clear" | "fired";
export const alarmNote = (word: AlarmWord, dueMs: number): string => `! ${word} ${dueMs}`;

/**
 * A service that reads all that the others say and writes it down: what it has is what arrives. Its alarms tell whether
 * timers keep to what they were set for.
 */
export function witness(): Service {
  const on = allMessages
    .filter((type) => !type.topic.door && type !== orderReserved)
    .map((type) =>
      when(
        type,
        (body: unknown) => [seen(`${type.topic.name} ${type.subject(body)}`)],
        (_, [held], out) => {
          const notes = [...(held.value ?? []), out.input.id];
          if (type === orderPlaced) {
            const dueMs = out.nowMs + alarmMs;
            out.at(alarm, dueMs, dueMs);
            notes.push(alarmNote("set", dueMs));
          } else if (type.topic === orderPlaced.topic) {
            out.clear(alarm);
            notes.push(alarmNote("clear", 0));
          }
          out.save(held, notes);
        },
      ),
    );
  // It comes of goods that are reserved. Whoever has not heard of those waits, and whatever comes behind it waits as well.
  const waits = when(
    orderReserved,
    (m) => [seen(`${orderReserved.topic.name} ${m.orderId}`), seen(`${stockReserved.topic.name} ${m.orderId}`)],
    (m, [held, goods], out) => {
      if (goods.value === undefined) out.notYet(`The goods of ${m.orderId} are not reserved yet.`);
      out.clear(alarm);
      out.save(held, [...(held.value ?? []), out.input.id, alarmNote("clear", 0)]);
    },
  );
  const fires = whenDue(
    alarm,
    (fired) => [seen(`${orderPlaced.topic.name} ${fired.key}`)],
    (fired, [held], out) => out.save(held, [...(held.value ?? []), alarmNote("fired", fired.body)]),
  );
  return service("witness", { on: [...on, waits, fires] });
}
