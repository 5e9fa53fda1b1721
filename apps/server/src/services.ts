import { catalogue } from "@waybill/catalogue";
import { allMessages, allTopics } from "@waybill/contracts";
import { fulfilment } from "@waybill/fulfilment";
import { inventory } from "@waybill/inventory";
import { listing } from "@waybill/listing";
import { WaybillError, type AnyMessageType, type Service, type Topic } from "@waybill/messaging";
import { notifications } from "@waybill/notifications";
import { orders } from "@waybill/orders";
import { payments } from "@waybill/payments";
import { partitions } from "./engine.ts";
import * as own from "./own-services.ts";

/** How long the shop waits; undefined: as its services say, and for a dispatch a person. */
export interface ShopTimes {
  /** How long after its confirmation an order leaves by itself. */
  readonly dispatchAfterMs: number | undefined;
  /** How long a reserved order waits for its money. */
  readonly paymentDeadlineMs: number | undefined;
}

const usual: ShopTimes = { dispatchAfterMs: undefined, paymentDeadlineMs: undefined };

/** Every service of the shop, on one page; those of your own come last. */
export function shopServices({ dispatchAfterMs, paymentDeadlineMs }: ShopTimes = usual): readonly Service[] {
  return [
    catalogue(),
    orders(paymentDeadlineMs === undefined ? {} : { paymentDeadlineMs }),
    inventory(),
    payments(),
    fulfilment(dispatchAfterMs === undefined ? {} : { dispatchAfterMs }),
    notifications(),
    listing(),
    ...Object.values<() => Service>(own).map((make) => make()),
  ];
}

/** The most lanes that each service of the shop can have. */
export function lanesMaxOf(): ReadonlyMap<string, number> {
  return new Map(shopServices().map(({ name, lanesMax = partitions }) => [name, Math.min(lanesMax, partitions)]));
}

/** What a shop says: every message, and every topic. */
export interface ShopContract {
  readonly messages: readonly AnyMessageType[];
  readonly topics: readonly Topic[];
}

/**
 * The contracts of the shop, and whatever services of your own declare besides. Throws CONTRACT_INVALID when two services,
 * messages or topics have one name.
 */
export function shopContract(services: readonly Service[] = shopServices()): ShopContract {
  const messages = [...new Set([...allMessages, ...services.flatMap(typesOf)])];
  const topics = [...new Set([...allTopics, ...messages.map(({ topic }) => topic)])];
  for (const [what, named] of Object.entries({ services, messages, topics })) refuseTwice(what, named);
  return { messages, topics };
}

/** The messages that a service sends and reads. */
function typesOf({ rules, sends }: Service): readonly AnyMessageType[] {
  return [...sends, ...rules.flatMap(({ on }) => (on.kind === "message" ? [on.type] : []))];
}

function refuseTwice(what: string, named: readonly { readonly name: string }[]): void {
  const seen = new Set<string>();
  for (const { name } of named) {
    if (seen.has(name)) throw new WaybillError("CONTRACT_INVALID", `There are two ${what} of the name "${name}".`);
    seen.add(name);
  }
}
