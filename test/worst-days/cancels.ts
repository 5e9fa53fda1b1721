import type { Answer, LiveShop } from "./live-shop.ts";

/** What a customer who cancels at one step of an order's life gets. */
export interface CancelRow {
  readonly step: string;
  /** What is answered, and what the order is afterwards. */
  readonly answer: "cancelled" | "refused" | "no such order";
  readonly status: string;
  /** What the gateway has done for the order when all is over. */
  readonly money: readonly string[];
  readonly letters: readonly string[];
  /** Brings an order to the step; its id. */
  readonly reach: (shop: LiveShop) => Promise<string>;
}

const held = ["authorise approved", "void approved"];
const taken = ["authorise approved", "capture approved"];

async function confirmed(shop: LiveShop, token = "tok_approved"): Promise<string> {
  const orderId = await shop.place(token);
  await shop.until(orderId, ({ history = [] }) => history.some(({ type }) => type === "order.confirmed"));
  return orderId;
}

async function dispatched(shop: LiveShop, token: string, status: string): Promise<string> {
  const orderId = await confirmed(shop, token);
  await dispatch(shop, orderId);
  await shop.untilStatus(orderId, status);
  return orderId;
}

export function dispatch(shop: LiveShop, orderId: string): Promise<Answer> {
  return shop.ask("POST", `/shipments/${orderId}/dispatch`);
}

export function cancel(shop: LiveShop, orderId: string): Promise<Answer> {
  const body = { reason: "Changed my mind." };
  return shop.ask("POST", `/orders/${orderId}/cancel`, body, { prefer: "wait=20" });
}

/** Every step of an order's life at which somebody may cancel. */
export const cancelRows: readonly CancelRow[] = [
  {
    step: "it was never placed",
    answer: "no such order",
    status: "none",
    money: [],
    letters: [],
    reach: async () => "nobody-has-placed-this",
  },
  {
    step: "it is rejected",
    answer: "refused",
    status: "rejected",
    money: [],
    letters: [],
    async reach(shop) {
      const orderId = await shop.place("tok_approved", { lines: [{ sku: "no such thing", quantity: 1 }] });
      await shop.untilStatus(orderId, "rejected");
      return orderId;
    },
  },
  {
    step: "its card is being authorised",
    answer: "cancelled",
    status: "cancelled",
    money: held,
    letters: ["cancelled"],
    async reach(shop) {
      const orderId = await shop.place("tok_slow");
      await shop.untilStatus(orderId, "reserved");
      return orderId;
    },
  },
  {
    step: "the gateway does not answer",
    answer: "cancelled",
    status: "cancelled",
    money: held,
    letters: ["cancelled"],
    async reach(shop) {
      const orderId = await shop.place("tok_timeout");
      await shop.untilStatus(orderId, "reserved");
      return orderId;
    },
  },
  {
    step: "its card was declined",
    answer: "cancelled",
    status: "cancelled",
    money: ["authorise refused"],
    letters: ["cancelled"],
    async reach(shop) {
      const orderId = await shop.place("tok_declined");
      await shop.untilStatus(orderId, "cancelled");
      return orderId;
    },
  },
  {
    step: "it is confirmed",
    answer: "cancelled",
    status: "cancelled",
    money: held,
    letters: ["confirmed", "cancelled"],
    reach: (shop) => confirmed(shop),
  },
  {
    step: "it is confirmed, and the answer to the void is lost",
    answer: "cancelled",
    status: "cancelled",
    money: held,
    letters: ["confirmed", "cancelled"],
    reach: (shop) => confirmed(shop, "tok_void_answer_lost"),
  },
  {
    step: "it is confirmed, and its authorisation has run out",
    answer: "cancelled",
    status: "cancelled",
    money: ["authorise approved", "expire approved", "void approved"],
    letters: ["confirmed", "cancelled"],
    reach: (shop) => confirmed(shop, "tok_authorisation_expired"),
  },
  {
    step: "it is cancelled",
    answer: "cancelled",
    status: "cancelled",
    money: held,
    letters: ["confirmed", "cancelled"],
    async reach(shop) {
      const orderId = await confirmed(shop);
      await cancel(shop, orderId);
      return orderId;
    },
  },
  {
    step: "the goods have left, and the money was refused",
    answer: "refused",
    status: "unpaid",
    money: ["authorise approved", "capture refused"],
    letters: ["confirmed", "shipped"],
    reach: (shop) => dispatched(shop, "tok_capture_refused", "unpaid"),
  },
  {
    step: "it is completed",
    answer: "refused",
    status: "completed",
    money: taken,
    letters: ["confirmed", "shipped"],
    reach: (shop) => dispatched(shop, "tok_approved", "completed"),
  },
  {
    step: "the goods have arrived",
    answer: "refused",
    status: "completed",
    money: taken,
    letters: ["confirmed", "shipped"],
    async reach(shop) {
      const orderId = await dispatched(shop, "tok_approved", "completed");
      await shop.ask("POST", `/shipments/${orderId}/deliver`);
      return orderId;
    },
  },
];
