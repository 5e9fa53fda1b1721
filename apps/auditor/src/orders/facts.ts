import type { Shipment } from "@waybill/fulfilment";
import type { Reservation } from "@waybill/inventory";
import type { HistoryEntry, Order } from "@waybill/orders";
import type { Payment } from "@waybill/payments";
import type { Told } from "../log/told.ts";
import { parkedAnywhere, parkedAt, unreadBy, waiting, type ShopService } from "../log/told.ts";
import type { GatewayOperation } from "../money/gateway-ledger.ts";

/** Everything that is known of one order, from the states of each service, the log, and the gateway. */
export interface OrderFacts {
  readonly orderId: string;
  /** Without its history, which is asked for when it is needed. */
  readonly order: Order | undefined;
  readonly history: () => readonly HistoryEntry[];
  readonly reservation: Reservation | undefined;
  readonly payment: Payment | undefined;
  readonly shipment: Shipment | undefined;
  /** The gateway's operations on payments of this reference; undefined when its ledger is not at hand. */
  readonly operations: readonly GatewayOperation[] | undefined;
  /** Undefined when the log no longer holds where the order begins. */
  readonly told: Told | undefined;
  readonly under: UnderWay;
  /** Whether the shop keeps lists in which it must stand. */
  readonly hasLists: boolean;
}

/** What is on its way for an order. */
export class UnderWay {
  readonly #word: number;

  constructor(word: number) {
    this.#word = word;
  }

  /** A message about it that the service has not read, or inputs that are parked there. */
  to(service: ShopService): boolean {
    return (this.#word & (unreadBy(service) | parkedAt(service))) !== 0;
  }

  get isParked(): boolean {
    return (this.#word & parkedAnywhere) !== 0;
  }

  has(what: keyof typeof waiting): boolean {
    return (this.#word & waiting[what]) !== 0;
  }
}
