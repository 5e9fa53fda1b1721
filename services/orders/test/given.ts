import {
  orderCancel,
  orderPlace,
  paymentAuthorised,
  paymentCaptured,
  shipmentDispatched,
  stockReserved,
  type OrderPlace,
  type OrderImport,
} from "@waybill/contracts";
import { specification, type Done, type Specification } from "@waybill/messaging/specification";
import { order, orders, product, type Order, type OrderStatus } from "../src/index.ts";

export const place: OrderPlace = {
  orderId: "o-1",
  placedAtMs: 1_291_191_960_000,
  customer: { id: "c-1", email: "ann@example.org" },
  currency: "GBP",
  country: "United Kingdom",
  payment: { token: "tok_1" },
  lines: [
    { sku: "mug", quantity: 6 },
    { sku: "cup", quantity: 1 },
  ],
};

export const imported: OrderImport = {
  ...place,
  lines: [
    { sku: "antique", quantity: 3, unitPrice: "1.005" },
    { sku: "sample", quantity: 1, unitPrice: "0.001" },
  ],
};

export const orderId = "o-1";
export const money = { orderId, amount: 1630, currency: "GBP", paymentId: "pay_1" } as const;
export const refused = (reason: string) => ({ orderId, reason });
export const cancel = { orderId, reason: "Changed my mind." };

/** A catalogue with a mug at 2.55, a cup at 0.995, a jar that is not sold and a vase in euros. */
export function shopWithProducts(): Specification {
  const shop = specification(orders({ paymentDeadlineMs: 60_000 }));
  shop.given(product("mug"), { price: "2.55", currency: "GBP", active: true });
  shop.given(product("cup"), { price: "0.995", currency: "GBP", active: true });
  shop.given(product("jar"), { price: "1.00", currency: "GBP", active: false });
  shop.given(product("vase"), { price: "9.00", currency: "EUR", active: true });
  return shop;
}

/** The messages that bring an order of 1,630 pence to each status, the last one included. */
const ways = {
  placed: [],
  reserved: ["stock"],
  confirmed: ["stock", "paid"],
  cancelling: ["stock", "paid", "cancel"],
  shipped: ["stock", "paid", "sent"],
  completed: ["stock", "paid", "sent", "taken"],
  cancelled: ["stock", "cancel"],
} as const satisfies Partial<Record<OrderStatus, readonly string[]>>;

const steps = {
  stock: (shop: Specification) => shop.when(stockReserved, { orderId, lines: [] }),
  paid: (shop: Specification) => shop.when(paymentAuthorised, money),
  sent: (shop: Specification) => shop.when(shipmentDispatched, { orderId }),
  taken: (shop: Specification) => shop.when(paymentCaptured, money),
  cancel: (shop: Specification) => shop.when(orderCancel, cancel),
};

export function given(status: keyof typeof ways): Specification {
  const shop = shopWithProducts();
  shop.when(orderPlace, place);
  for (const step of ways[status]) steps[step](shop);
  return shop;
}

export const typesOf = ({ sent }: Done): readonly string[] => sent.map(({ type }) => type);
export const orderOf = (shop: Specification): Order => shop.state(order("o-1"))!;
