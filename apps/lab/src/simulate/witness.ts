import {
  allMessages,
  orderPlaced,
  orderReserved,
  stockRefused,
  stockReleased,
  stockReserved,
  stockShipped,
} from "@waybill/contracts";
import {
  service,
  state,
  timer,
  when,
  whenDue,
  type AnyMessageType,
  type Service,
  type StateRef,
} from "@waybill/messaging";

/** By topic and entity: what was handled, in order: messages, as `noteOf` names them, and what the alarms said. */
export const seen = state<readonly string[]>("seen");

/** What makes a message the same as another. What is handled again in another way says something else under the same id. */
export const noteOf = ({ id, type }: { readonly id: string; readonly type: string }): string => `${id} ${type}`;

const ofGoods: readonly AnyMessageType[] = [stockReserved, stockRefused, stockReleased, stockShipped];

/** Goes off some time after an order was placed, unless something is heard of the order or of its goods before. */
const alarm = timer<number>("alarm");
/** Soon, so that many go off; or later than what is on its way may be overlooked, so that none does before it is read. */
const alarmMsOf = (orderId: string): number => (orderId.charCodeAt(orderId.length - 1) % 2 === 0 ? 8_000 : 40_000);

/**
 * How an alarm stands in what was seen: `! set` with the time that it was set for, `! clear` with the note of what was
 * heard of the order elsewhere, and `! fired`.
 */
const setNote = (dueMs: number): string => `! set ${dueMs}`;
const clearNote = (note = ""): string => `! clear ${note}`;
const firedNote = (dueMs: number): string => `! fired ${dueMs}`;
const ordersSeen = (orderId: string): StateRef<readonly string[]> => seen(`${orderPlaced.topic.name} ${orderId}`);

/**
 * A service that reads all that the others say and writes it down: what it has is what arrives. Its alarms tell whether
 * timers keep to what they were set for.
 */
export function witness(): Service {
  const on = allMessages
    .filter((type) => !type.topic.door && type !== orderReserved && !ofGoods.includes(type))
    .map((type) =>
      when(
        type,
        (body: unknown) => [seen(`${type.topic.name} ${type.subject(body)}`)],
        (_, [held], out) => {
          const notes = [...(held.value ?? []), noteOf({ id: out.input.id, type: type.name })];
          if (type === orderPlaced) {
            const dueMs = out.nowMs + alarmMsOf(out.input.subject);
            out.at(alarm, dueMs, dueMs);
            notes.push(setNote(dueMs));
          } else if (type.topic === orderPlaced.topic) {
            out.clear(alarm);
            notes.push(clearNote());
          }
          out.save(held, notes);
        },
      ),
    );
  // Of an order's goods is heard by another way, which may be an hour behind.
  const goods = ofGoods.map((type) =>
    when(
      type,
      (body: unknown) => [seen(`${type.topic.name} ${type.subject(body)}`), ordersSeen(type.subject(body))],
      (_, [held, order], out) => {
        const note = noteOf({ id: out.input.id, type: type.name });
        out.clear(alarm);
        out.save(held, [...(held.value ?? []), note]);
        out.save(order, [...(order.value ?? []), clearNote(note)]);
      },
    ),
  );
  // It comes of goods that are reserved. Whoever has not heard of those waits, and whatever comes behind it waits as well.
  const waits = when(
    orderReserved,
    (m) => [ordersSeen(m.orderId), seen(`${stockReserved.topic.name} ${m.orderId}`)],
    (m, [held, goods], out) => {
      if (goods.value === undefined) out.notYet(`The goods of ${m.orderId} are not reserved yet.`);
      out.clear(alarm);
      const note = noteOf({ id: out.input.id, type: orderReserved.name });
      out.save(held, [...(held.value ?? []), note, clearNote()]);
    },
  );
  const fires = whenDue(
    alarm,
    (fired) => [ordersSeen(fired.key)],
    (fired, [held], out) => out.save(held, [...(held.value ?? []), firedNote(fired.body)]),
  );
  return service("witness", { on: [...on, ...goods, waits, fires] });
}
