import { catalogue } from "@waybill/catalogue";
import { allMessages, type Said } from "@waybill/contracts";
import { fulfilment, type FulfilmentOptions } from "@waybill/fulfilment";
import { inventory } from "@waybill/inventory";
import type { AnyMessageType, Outcome } from "@waybill/messaging";
import { specification, type Done, type Specification } from "@waybill/messaging/specification";
import { notifications, sendMail } from "@waybill/notifications";
import { orders, paymentDeadline } from "@waybill/orders";
import { authorise, capture, payments, presence, refund, voidPayment } from "@waybill/payments";
import { dispatchDue } from "@waybill/fulfilment";

/** A message on its way to one service. */
interface Waiting {
  readonly service: string;
  readonly type: AnyMessageType;
  readonly body: unknown;
}

/** A call to the outside that one service waits for. */
export interface Call {
  readonly service: string;
  readonly name: string;
  // oxlint-disable-next-line no-explicit-any -- the shop's effects have different inputs
  readonly input: any;
}

const typeOf = new Map(allMessages.map((type) => [type.name, type]));
const effectTypes = [authorise, capture, voidPayment, refund, presence, sendMail];
const timerTypes = [paymentDeadline, dispatchDue];

/**
 * All six services with nothing but queues between them. It promises what a real engine promises and no more: order for
 * each topic and key, and for each effect queue of an entity. `pick(n)` chooses what comes next, from 0 to n − 1.
 */
export function shop(options: { readonly pick: (n: number) => number; readonly fulfilment?: FulfilmentOptions }) {
  const services: Record<string, Specification> = {
    catalogue: specification(catalogue()),
    orders: specification(orders({ paymentDeadlineMs: 60_000 })),
    inventory: specification(inventory()),
    payments: specification(payments()),
    fulfilment: specification(fulfilment(options.fulfilment ?? { dispatchAfterMs: 0 })),
    notifications: specification(notifications()),
  };
  const queues = new Map<string, Waiting[]>();
  const calls = new Map<string, Call[]>();
  const timers = new Map<string, { service: string; name: string; key: string; dueMs: number }>();
  const delivered: Waiting[] = [];
  const said: Said[] = [];

  const route = (type: AnyMessageType, body: unknown): void => {
    said.push({ type, body });
    for (const [service, specified] of Object.entries(services)) {
      if (!specified.handles(type)) continue;
      const queue = `${service} ${type.topic.name} ${type.key(body)}`;
      queues.set(queue, [...(queues.get(queue) ?? []), { service, type, body }]);
    }
  };

  const carryOut = (service: string, key: string, done: Done): void => {
    for (const { type, body } of done.sent) route(typeOf.get(type)!, body);
    for (const { name, input } of done.effects) {
      const queue = `${service} ${effectTypes.find((type) => type.name === name)!.queue} ${key}`;
      calls.set(queue, [...(calls.get(queue) ?? []), { service, name, input }]);
    }
    for (const name of done.cleared) timers.delete(`${service} ${name} ${key}`);
    for (const { name, dueMs } of done.timers) timers.set(`${service} ${name} ${key}`, { service, name, key, dueMs });
  };

  const handle = ({ service, type, body }: Waiting): void => {
    carryOut(service, type.subject(body), services[service]!.when(type, body));
  };

  return {
    services,
    said,
    timers,
    send: <T>(type: AnyMessageType, body: T): void => route(type, body),
    /** Delivers one message of any queue; one that comes before its cause stays. False when none can be delivered. */
    deliver(): boolean {
      const open = [...queues].filter(([, waiting]) => waiting.length > 0);
      for (let tries = open.length; tries > 0; tries--) {
        const [[name, [first, ...rest]]] = open.splice(options.pick(open.length), 1) as [
          [string, [Waiting, ...Waiting[]]],
        ];
        try {
          handle(first);
        } catch (error) {
          if (error instanceof Error && error.name === "NotYet") continue;
          throw error;
        }
        queues.set(name, rest);
        delivered.push(first);
        return true;
      }
      return false;
    },
    /** Delivers once more what was delivered before. */
    repeat(except: ReadonlySet<AnyMessageType>): void {
      const again = delivered[options.pick(delivered.length)];
      if (again !== undefined && !except.has(again.type)) handle(again);
    },
    /** Answers the first call of any effect queue. False when nobody waits. */
    answer(by: (call: Call) => Outcome<unknown>): boolean {
      const open = [...calls].filter(([, waiting]) => waiting.length > 0);
      if (open.length === 0) return false;
      const [queue, [call, ...rest]] = open[options.pick(open.length)] as [string, [Call, ...Call[]]];
      calls.set(queue, rest);
      const type = effectTypes.find(({ name }) => name === call.name)!;
      const key = call.input.reference ?? call.input.orderId;
      carryOut(
        call.service,
        key,
        services[call.service]!.settled(type as typeof sendMail, call.input, by(call) as never),
      );
      return true;
    },
    /** Lets time pass to the next timer and fires it. False when there is none. */
    tick(): boolean {
      const [next] = [...timers].toSorted(([, a], [, b]) => a.dueMs - b.dueMs);
      if (next === undefined) return false;
      const [id, { service, name, key, dueMs }] = next;
      timers.delete(id);
      for (const specified of Object.values(services)) specified.nowMs = Math.max(specified.nowMs, dueMs);
      carryOut(
        service,
        key,
        services[service]!.due(
          timerTypes.find((type) => type.name === name)!,
          key,
        ),
      );
      return true;
    },
  };
}

export type Shop = ReturnType<typeof shop>;
