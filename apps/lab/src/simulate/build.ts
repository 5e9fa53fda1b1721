import { catalogue } from "@waybill/catalogue";
import { allMessages, allTopics } from "@waybill/contracts";
import { fulfilment } from "@waybill/fulfilment";
import { inventory } from "@waybill/inventory";
import type { AnyMessageType, Running } from "@waybill/messaging";
import { notifications } from "@waybill/notifications";
import { orders } from "@waybill/orders";
import { payments } from "@waybill/payments";
import { nextLevel, nextMessages } from "./next-level.ts";
import type { Setting } from "./plan.ts";
import { witness } from "./witness.ts";

/** The code that a process runs. */
export interface Build {
  readonly name: string;
  readonly services: readonly Running[];
  readonly types: readonly AnyMessageType[];
}

export { allTopics };

const nextOf = nextMessages();
const types: Readonly<Record<number, readonly AnyMessageType[]>> = {
  1: allMessages,
  2: allMessages.map((type) => (type.topic.door ? type : nextOf(type))),
};
const builds = new Map<string, Build>();

/** The shop's services, unchanged, and the witness. Builds are the same for all seeds, so each is made once. */
export function buildOf({ dispatchAfterMs, paymentDeadlineMs, lanes }: Setting, level: number): Build {
  const name = `level ${level}, ${lanes} lanes, dispatch after ${dispatchAfterMs}, deadline ${paymentDeadlineMs}`;
  const known = builds.get(name);
  if (known !== undefined) return known;
  const services = [
    catalogue(),
    orders({ paymentDeadlineMs }),
    inventory(),
    payments(),
    fulfilment(dispatchAfterMs === undefined ? {} : { dispatchAfterMs }),
    notifications(),
    witness(),
  ].map((service) => (level === 1 ? service : nextLevel(service, (type) => (type.topic.door ? type : nextOf(type)))));
  const build: Build = {
    name,
    services: services.map((service) => ({ service, lanes: Math.min(lanes, service.lanesMax ?? lanes) })),
    types: types[level]!,
  };
  builds.set(name, build);
  return build;
}
