import {
  allMessages,
  allTopics,
  orderCancel,
  orderPlace,
  productPut,
  stockAdjust,
  type OrderPlace,
} from "@waybill/contracts";
import { memoryStore, memoryTransport, testWorld, type TestWorld } from "@waybill/memory";
import { openPublisher, startWorker, type EffectCall, type MessageType } from "@waybill/messaging";
import { mailEffects, type Mail } from "@waybill/notifications";
import { order, type Order } from "@waybill/orders";
import { gatewayEffects, type AuthoriseRequest, type PaymentGateway } from "@waybill/payments";
import { inProcessGateway, shopServices } from "@waybill/server";

const partitions = 4;

/** How the gateway is, at any moment of a test. */
export interface GatewayMood {
  isAway: boolean;
  /** A card whose authorisation it never answers. */
  silentFor: string | undefined;
}

/** All services at work in memory, on a clock that moves when it is told to. */
export async function shopInMemory(): Promise<ShopInMemory> {
  const world = testWorld();
  const store = memoryStore({ world });
  const transport = memoryTransport({ world });
  for (const { name } of allTopics) await transport.declare({ name, partitions, bytesMax: 1_000_000 });
  const ledger = inProcessGateway();
  const mood: GatewayMood = { isAway: false, silentFor: undefined };
  const mailbox: Mail[] = [];
  const mailer = {
    send: async (mail: Mail) => {
      mailbox.push(mail);
      return { kind: "done", value: null } as const;
    },
  };
  const services = shopServices({ dispatchAfterMs: 1_000, paymentDeadlineMs: undefined });
  const publisher = openPublisher({
    transportOf: () => transport,
    partitions,
    producer: "test",
    nowMs: () => store.nowMs(),
    newId: () => world.newId(),
  });
  const starting = startWorker({
    store,
    world,
    services: services.map((service) => ({ service, lanes: 1 })),
    types: allMessages,
    adapters: { ...gatewayEffects(moody(ledger, mood)), ...mailEffects(mailer) },
    transportOf: () => transport,
    partitions,
    build: "test",
    host: "test",
  });
  const worker = await world.passUntil(starting);
  const tell = async <T>(type: MessageType<T>, body: NoInfer<T>) => {
    await world.passUntil(publisher.publish(type, body));
  };
  await tell(productPut, { sku: "mug", title: "A mug", price: "2.55", currency: "GBP", active: true });
  await tell(stockAdjust, { adjustmentId: "first", sku: "mug", quantity: 1_000, reason: "Delivery" });
  await world.advance(1_000);
  return {
    world,
    mood,
    ledger,
    mailbox,
    place: (orderId, token = "tok_approved") => tell(orderPlace, placed(orderId, token, store.nowMs())),
    cancel: (orderId) => tell(orderCancel, { orderId, reason: "Changed my mind." }),
    async orderOf(orderId) {
      const [row] = await store.load("orders", [{ kind: order(orderId).of.kind, id: orderId }]);
      return row === undefined ? undefined : (JSON.parse(row.body) as Order);
    },
    [Symbol.asyncDispose]: () => world.passUntil(worker.close()),
  };
}

export interface ShopInMemory extends AsyncDisposable {
  readonly world: TestWorld;
  readonly mood: GatewayMood;
  readonly ledger: ReturnType<typeof inProcessGateway>;
  readonly mailbox: readonly Mail[];
  place(orderId: string, token?: string): Promise<void>;
  cancel(orderId: string): Promise<void>;
  orderOf(orderId: string): Promise<Order | undefined>;
}

function placed(orderId: string, token: string, placedAtMs: number): OrderPlace {
  const customer = { id: orderId, email: `${orderId}@customers.example` };
  return { orderId, placedAtMs, customer, currency: "GBP", lines: [{ sku: "mug", quantity: 1 }], payment: { token } };
}

/** The gateway behind a line that may be cut, and with a card that it never says a word on. */
function moody(gateway: PaymentGateway, mood: GatewayMood): PaymentGateway {
  const refused = { kind: "again", reason: "ECONNREFUSED" } as const;
  const through = <I>(call: (input: I, of: EffectCall) => ReturnType<PaymentGateway["capture"]>) => {
    return async (input: I, of: EffectCall) => (mood.isAway ? refused : call(input, of));
  };
  return {
    authorise: through((input: AuthoriseRequest, of) =>
      input.token === mood.silentFor ? new Promise(() => undefined) : gateway.authorise(input, of),
    ),
    capture: through((input, of) => gateway.capture(input, of)),
    void: through((input, of) => gateway.void(input, of)),
    refund: through((input, of) => gateway.refund(input, of)),
    async find(key, signal) {
      if (mood.isAway) throw new Error("ECONNREFUSED");
      return gateway.find(key, signal);
    },
  };
}
