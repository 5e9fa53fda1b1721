import {
  orderCancel,
  orderPlace,
  paymentResolve,
  productPut,
  shipmentDispatch,
  stockAdjust,
  topics,
} from "@waybill/contracts";
import { openPublisher, partitionOf, type MessageType, type Publisher, type Transport } from "@waybill/messaging";
import { linkedTransport, SimulatedProcess } from "@waybill/simulator";
import { prices, skus, stock, type Item, type Line } from "./plan.ts";
import { ordersOf, stuckPaymentsOf, waitingShipmentsOf } from "./look.ts";
import type { Scene } from "./scene.ts";

/** How long a person waits before he settles what nobody could tell. */
const patienceMs = 15_000;

type OrderItem = Item & { readonly kind: "order" };

/** Everyone outside: customers and the shop's own people, who write to the doors, and try again until they are heard. */
export class People {
  /** Orders whose placing was acknowledged. */
  readonly placed = new Map<string, OrderItem>();
  readonly #scene: Scene;
  readonly #process: SimulatedProcess;
  readonly #transport: Transport;
  readonly #publisher: Publisher;
  #messages = 0;
  readonly #dispatchedAtMs = new Map<string, number>();
  readonly #attentionSinceMs = new Map<string, number>();

  constructor(scene: Scene) {
    this.#scene = scene;
    const { scheduler, chance, lines, logs, network, store, setting } = scene;
    this.#process = new SimulatedProcess("people", scheduler, chance, lines.add);
    this.#transport = linkedTransport(this.#process, logs, network);
    this.#publisher = openPublisher({
      transportOf: () => this.#transport,
      partitions: setting.partitions,
      producer: "people",
      nowMs: () => store.nowMs(),
      newId: () => `say-${++this.#messages}`,
    });
  }

  /** Fills the shop's shelves before anything goes wrong. */
  stockUp(): void {
    for (const sku of skus) {
      this.put(sku, prices[sku]!, true);
      this.adjust(`first-${sku}`, sku, stock[sku]!);
    }
  }

  put(sku: string, price: string, active: boolean): void {
    void this.#say(productPut, { sku, title: sku, price, currency: "GBP", active });
  }

  adjust(adjustmentId: string, sku: string, quantity: number): void {
    void this.#say(stockAdjust, { adjustmentId, sku, quantity, reason: "Counted." });
  }

  async place(item: OrderItem): Promise<void> {
    const { orderId, lines, token, isForeign, againAfterMs } = item;
    for (const ms of againAfterMs) {
      this.#scene.scheduler.after(ms, () => void this.#say(orderPlace, placing(orderId, lines, token), isForeign));
    }
    await this.#say(orderPlace, placing(orderId, lines, token), isForeign);
    this.placed.set(orderId, item);
  }

  /** Asks again for orders that were acknowledged and are not known: a door's log that loses what it had taken is noticed by nobody else. */
  async missOrders(): Promise<void> {
    const known = await ordersOf(this.#scene, [...this.placed.keys()]);
    for (const [orderId, { lines, token }] of this.placed) {
      if (!known.has(orderId)) void this.#say(orderPlace, placing(orderId, lines, token));
    }
  }

  twist(orderId: string, lines: readonly Line[]): void {
    if (this.placed.has(orderId)) void this.#say(orderPlace, placing(orderId, lines, "tok_approved"));
  }

  cancel(orderId: string, isForeign: boolean): void {
    void this.#say(orderCancel, { orderId, reason: "Changed my mind." }, isForeign);
  }

  /** The orders whose end is asked for: all, or after a rewind those that came later. */
  get judged(): readonly string[] {
    const ids = [...this.placed.keys()];
    return this.#scene.isRewound ? ids.filter((id) => id.startsWith("late-")) : ids;
  }

  /** Looks after the shop: sends off what waits for a carrier, and settles what only a person can. */
  async lookAfter(): Promise<void> {
    const { scheduler, gateway } = this.#scene;
    const ids = [...this.placed.keys()];
    if (this.#scene.setting.dispatchAfterMs === undefined) {
      for (const [orderId, { status }] of await waitingShipmentsOf(this.#scene, ids)) {
        const before = this.#dispatchedAtMs.get(orderId) ?? -Infinity;
        if (status !== "waiting" || scheduler.nowMs - before < 20_000) continue;
        this.#dispatchedAtMs.set(orderId, scheduler.nowMs);
        void this.#say(shipmentDispatch, { orderId });
      }
    }
    for (const [orderId, payment] of await stuckPaymentsOf(this.#scene, ids)) {
      const { status, pending, amount } = payment;
      if (status !== "attention" || pending === undefined) continue;
      // Whoever looks at once may look before a call that was held up has arrived.
      const sinceMs = this.#attentionSinceMs.get(`${orderId} ${pending}`) ?? scheduler.nowMs;
      this.#attentionSinceMs.set(`${orderId} ${pending}`, sinceMs);
      if (scheduler.nowMs - sinceMs < patienceMs) continue;
      this.#attentionSinceMs.set(`${orderId} ${pending}`, scheduler.nowMs);
      const { done, paymentId } = gateway.byHand(pending, orderId, amount);
      const outcome = done
        ? ({ kind: "done", paymentId, operationId: `by-hand-${orderId}-${pending}` } as const)
        : ({ kind: "refused", reason: "Nothing there." } as const);
      void this.#say(paymentResolve, { orderId, operation: pending, outcome });
    }
  }

  async #say<T>(type: MessageType<T>, body: NoInfer<T>, isForeign = false): Promise<void> {
    const id = `say-${++this.#messages}`;
    for (;;) {
      try {
        if (isForeign) await this.#sayElsewhere(type, body, id);
        else await this.#publisher.publish(type, body, { id });
        return;
      } catch {
        await this.#process.world.sleep(700);
      }
    }
  }

  /** As a program writes that hashes keys in another way. */
  async #sayElsewhere<T>(type: MessageType<T>, body: T, id: string): Promise<void> {
    const { partitions } = this.#scene.setting;
    const key = type.key(body);
    const partition = (partitionOf(key, partitions) + 1) % partitions;
    const message = {
      id,
      type: type.name,
      schema: type.version,
      subject: type.subject(body),
      key,
      producer: "elsewhere",
      atMs: this.#scene.store.nowMs(),
      correlation: id,
      body: JSON.stringify(body),
    };
    const [result] = await this.#transport.append(
      [{ topic: topics.ordersIn.name, partition, messages: [message] }],
      new AbortController().signal,
    );
    if (!result!.ok) throw result!.error;
  }
}

export function placing(orderId: string, lines: readonly Line[], token: string) {
  const customer = { id: `c-${orderId}`, email: `${orderId}@example.org` };
  return { orderId, placedAtMs: 1_800_000_000_000, customer, currency: "GBP" as const, lines, payment: { token } };
}
