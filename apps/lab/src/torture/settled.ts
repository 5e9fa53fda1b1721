import { setTimeout as pause } from "node:timers/promises";
import type { Order } from "@waybill/orders";
import type { Books } from "@waybill/auditor";
import type { TortureEngine } from "./engines.ts";

const everyMs = 250;

/** Waits until every order is over and nothing is on its way; how many orders are not when the time is up. */
export async function untilSettled(
  engine: TortureEngine,
  withinMs: number,
  tell: (line: string) => void,
): Promise<number> {
  const endMs = performance.now() + withinMs;
  let told = "";
  for (;;) {
    let open = 0;
    const { laws } = await engine.audit(async (books) => void (open = await openOrders(books)));
    const underWay = laws.reduce((sum, law) => sum + law.underWay, 0);
    if ((open === 0 && underWay === 0) || performance.now() > endMs) return open;
    const text = `${open} orders are not over, ${underWay} things are on their way`;
    if (text !== told) tell((told = text));
    await pause(everyMs);
  }
}

async function openOrders(books: Books): Promise<number> {
  let open = 0;
  for await (const page of books.states("orders", "order")) {
    for (const { body } of page) {
      const { status } = JSON.parse(body) as Order;
      if (!["completed", "rejected", "cancelled"].includes(status)) open += 1;
    }
  }
  return open;
}
