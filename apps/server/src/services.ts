import { catalogue } from "@waybill/catalogue";
import { allMessages, allTopics } from "@waybill/contracts";
import { fulfilment } from "@waybill/fulfilment";
import { inventory } from "@waybill/inventory";
import { listing } from "@waybill/listing";
import { WaybillError, type AnyEffectAdapter, type AnyMessageType, type Service, type Topic } from "@waybill/messaging";
import { notifications } from "@waybill/notifications";
import { orders } from "@waybill/orders";
import { payments } from "@waybill/payments";
import { partitions } from "./engine.ts";
import * as own from "./own-services.ts";

/** A service of your own: alone, or with the hands of its calls to the outside, which are asked for where it works. */
export type OwnService =
  | Service
  | { readonly service: Service; readonly adapters: () => Readonly<Record<string, AnyEffectAdapter>> };

/** The services of your own, as their folders give them. */
function ownServices(): readonly OwnService[] {
  return Object.values<() => OwnService>(own).map((make) => make());
}

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
    ...ownServices().map((one) => ("service" in one ? one.service : one)),
  ];
}

/**
 * The hands of the calls of your own services among these. Throws CONTRACT_INVALID when two have an adapter for one effect,
 * or one has an adapter for an effect of the shop's.
 */
export function ownAdapters(
  works: (service: string) => boolean,
  taken: Readonly<Record<string, AnyEffectAdapter>>,
  all: readonly OwnService[] = ownServices(),
): Readonly<Record<string, AnyEffectAdapter>> {
  const adapters = { ...taken };
  for (const one of all) {
    if (!("service" in one) || !works(one.service.name)) continue;
    for (const [effect, adapter] of Object.entries(one.adapters())) {
      if (Object.hasOwn(adapters, effect)) {
        const text = `Service "${one.service.name}" brings an adapter for ${effect}, which has one already.`;
        throw new WaybillError("CONTRACT_INVALID", text);
      }
      adapters[effect] = adapter;
    }
  }
  return adapters;
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
