/** What the log tells of an order, in one word: a place for each service that speaks of it. */

/** An order as its own events tell it; `unpaid` is no event, so such an order counts as shipped. */
export const orderStatuses = [
  "unknown",
  "placed",
  "reserved",
  "confirmed",
  "cancelling",
  "shipped",
  "completed",
  "rejected",
  "cancelled",
] as const;
export type ToldStatus = (typeof orderStatuses)[number];

export const stockStatuses = ["unknown", "refused", "held", "released", "shipped"] as const;
export type ToldStock = (typeof stockStatuses)[number];

export const shipmentStatuses = ["unknown", "dispatched", "delivered", "cancelled"] as const;
export type ToldShipment = (typeof shipmentStatuses)[number];

/** Single facts, each a bit. */
export const told = {
  authorised: 1 << 12,
  declined: 1 << 13,
  captured: 1 << 14,
  voided: 1 << 15,
  refunded: 1 << 16,
  /** Its first event stands in the log: what came before is not missing. */
  begun: 1 << 17,
  /** A door's message that asks for it was handled by orders. */
  asked: 1 << 18,
  /** Its state was found. */
  met: 1 << 19,
  /** It stands in the list of all orders, and in that of its customer's. */
  listed: 1 << 20,
  listedToCustomer: 1 << 21,
} as const;

export interface Told {
  readonly order: ToldStatus;
  readonly stock: ToldStock;
  readonly shipment: ToldShipment;
  has(fact: keyof typeof told): boolean;
}

export const orderIn = (word: number): ToldStatus => orderStatuses[word & 0xf]!;
export const stockIn = (word: number): ToldStock => stockStatuses[(word >>> 4) & 0x7]!;
export const shipmentIn = (word: number): ToldShipment => shipmentStatuses[(word >>> 8) & 0x3]!;

export function toldOf(word: number): Told {
  return {
    order: orderIn(word),
    stock: stockIn(word),
    shipment: shipmentIn(word),
    has: (fact) => (word & told[fact]) !== 0,
  };
}

export const withOrder = (word: number, status: ToldStatus): number => (word & ~0xf) | orderStatuses.indexOf(status);
export const withStock = (word: number, status: ToldStock): number =>
  (word & ~0x70) | (stockStatuses.indexOf(status) << 4);
export const withShipment = (word: number, status: ToldShipment): number =>
  (word & ~0x300) | (shipmentStatuses.indexOf(status) << 8);

/** What is on its way for an order, in another word. */
export const waiting = {
  deadline: 1 << 0,
  /** Its deadline passed long ago, by the lane's own time, and was not acted on. */
  deadlineLate: 1 << 1,
  dispatchTimer: 1 << 2,
  gatewayCall: 1 << 3,
} as const;

export const services = ["orders", "inventory", "payments", "fulfilment", "notifications", "listing"] as const;
export type ShopService = (typeof services)[number];

export function isShopService(name: string): name is ShopService {
  return (services as readonly string[]).includes(name);
}

/** A message about the order that the service has not read. */
export function unreadBy(service: ShopService): number {
  return 1 << (8 + services.indexOf(service));
}

/** Inputs of the order are parked there. */
export function parkedAt(service: ShopService): number {
  return 1 << (16 + services.indexOf(service));
}

export const parkedAnywhere = services.reduce((word, service) => word | parkedAt(service), 0);
