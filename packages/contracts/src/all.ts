import type { AnyMessageType, Topic } from "@waybill/messaging";
import * as letters from "./letters.ts";
import * as orderCommands from "./order-commands.ts";
import * as operations from "./operations.ts";
import * as orders from "./orders.ts";
import * as payments from "./payments.ts";
import * as products from "./products.ts";
import * as shipments from "./shipments.ts";
import * as stock from "./stock.ts";
import { topics } from "./topics.ts";

/** Every topic of the shop. */
export const allTopics: readonly Topic[] = Object.values(topics);

/** Every message of the shop. */
export const allMessages: readonly AnyMessageType[] = [
  orderCommands,
  orders,
  payments,
  products,
  shipments,
  stock,
  letters,
  operations,
]
  .flatMap((domain) => Object.values<unknown>(domain))
  .filter(isMessageType);

function isMessageType(value: unknown): value is AnyMessageType {
  return typeof value === "object" && value !== null && "samples" in value && "topic" in value;
}
