import { allMessages, amountText, type Currency } from "@waybill/contracts";

/** What an order's messages are told from: the order as the server shows it. */
export interface OrderFacts {
  readonly orderId: string;
  readonly status: string;
  readonly currency: Currency;
  /** Minor units of the currency, like all amounts here. */
  readonly total: number;
  readonly captured: number;
  readonly refunded: number;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
  readonly reason?: string;
  readonly detail?: string;
  readonly attention?: string;
  readonly cancelRefused?: string;
  readonly tracking?: string;
  readonly short?: readonly { readonly sku: string; readonly wanted: number; readonly available: number }[];
  readonly problems?: readonly { readonly sku: string; readonly problem: string }[];
}

type Say = (order: OrderFacts) => string;

const money =
  (text: string): Say =>
  ({ total, currency }) =>
    text.replace("$", amountText(total, currency));
const plain =
  (text: string): Say =>
  () =>
    text;

const words: Readonly<Record<string, Say>> = {
  "order.place": plain("A customer asks for the goods."),
  "order.import": plain("The order comes in with its own prices."),
  "order.placed": ({ lines, total, currency }) =>
    `Priced: ${lines.length} ${lines.length === 1 ? "line" : "lines"}, ${amountText(total, currency)}.`,
  "order.rejected": ({ reason, short = [], problems = [] }) =>
    ["Rejected", reason ?? "", ...short.map(shortText), ...problems.map((one) => `${one.sku} is ${one.problem}`)]
      .filter((text) => text !== "")
      .join(": "),
  "stock.reserved": plain("All goods are held for it."),
  "stock.refused": ({ short = [] }) => ["Not enough on the shelf", ...short.map(shortText)].join(": "),
  "stock.released": plain("The goods are back on the shelf."),
  "stock.shipped": plain("The goods are off the books."),
  "order.reserved": money("The goods are there; $ is asked for."),
  "order.payment-awaited": plain("The money has not come: is the gateway there?"),
  "payment.outstanding": plain("The gateway is there, and has not decided."),
  "payment.authorised": money("$ is held on the card."),
  "payment.declined": ({ detail }) => `The card was declined${because(detail)}`,
  "payment.captured": money("$ is taken."),
  "payment.capture-refused": plain("The money could not be taken."),
  "payment.voided": money("$ is held no longer."),
  "payment.void-refused": plain("The hold on the card could not be lifted."),
  "payment.refunded": ({ refunded, currency }) => `${amountText(refunded, currency)} is given back.`,
  "payment.refund-refused": plain("The money could not be given back."),
  "payment.uncertain": plain("Nobody can tell whether the gateway did it."),
  "payment.resolve": plain("A person says what became of the payment."),
  "payment.settle": plain("An operator writes down why he says so."),
  "payment-deadline": plain("Half of the time for the money is over."),
  "order.confirmed": plain("Held and paid for: the goods may be sent."),
  "shipment.dispatch": plain("Somebody sends the goods off."),
  "shipment.dispatched": ({ tracking }) => `The goods have left${tracking === undefined ? "." : `, as ${tracking}.`}`,
  "shipment.deliver": plain("The carrier has brought them."),
  "shipment.delivered": plain("The goods have arrived."),
  "shipment.cancelled": plain("The goods stay here."),
  "shipment.refused": plain("The shipment could not be changed."),
  "order.shipped": plain("The customer is told that they have left."),
  "order.completed": plain("Sent and paid."),
  "order.cancel": plain("Somebody wants it cancelled."),
  "order.cancel-requested": plain("Fulfilment is asked whether the goods are still there."),
  "order.cancel-refused": ({ cancelRefused }) => `It cannot be cancelled${because(cancelRefused)}`,
  "order.cancelled": ({ reason, detail }) => `Cancelled, ${reason ?? "for no reason given"}${because(detail)}`,
  "order.refunded": ({ refunded, currency }) => `${amountText(refunded, currency)} went back to the customer.`,
  "letter.resolve": plain("An operator sends a letter again, or dismisses it."),
  "letter.settle": plain("An operator writes down why a letter goes again, or does not."),
  "order.attention-needed": ({ attention }) => `A person must look at it${because(attention)}`,
};

/** What a message of an order means, in words; empty for one that has none. */
export function meaning(type: string, order: OrderFacts): string {
  return words[type]?.(order) ?? "";
}

/** Types that have words. */
export const wordedTypes: readonly string[] = Object.keys(words);

const messages = new Map(allMessages.map((message) => [message.name, message]));

/** Who said a message: the service that owns its topic, `outside` for a door, `timer` for what is no message. */
export function speakerOf(type: string): string {
  const found = messages.get(type);
  if (found === undefined) return "timer";
  return found.topic.door ? "outside" : (found.topic.writers[0] ?? "outside");
}

function shortText({ sku, wanted, available }: { sku: string; wanted: number; available: number }): string {
  return `${sku} has ${available} of ${wanted}`;
}

function because(text: string | undefined): string {
  return text === undefined ? "." : `: ${text}`;
}
