import { topics } from "@waybill/contracts";
import { sums } from "@waybill/payments";
import { adjustmentsOf, mailsOf, ordersOf, paymentsOf, reservationsOf, shipmentsOf, stockOf } from "./look.ts";
import type { People } from "./people.ts";
import { amountOf, prices, skus, stock, type Item, type Line, type Plan } from "./plan.ts";
import type { Scene } from "./scene.ts";

/** What is wrong with money, goods and letters once everything has settled, in words. */
export async function bookErrors(scene: Scene, people: People, plan: Plan): Promise<string[]> {
  const ids = people.judged;
  const findings = scene.gateway.findings.filter(({ reference }) => ids.includes(reference));
  const errors = findings.map(({ text }) => `the gateway was asked wrongly: ${text}`);
  errors.push(...(await moneyErrors(scene, people, plan, ids)));
  errors.push(...(await stockErrors(scene, plan, ids)));
  errors.push(...(await letterErrors(scene, ids)));
  return errors;
}

async function moneyErrors(scene: Scene, people: People, plan: Plan, ids: readonly string[]): Promise<string[]> {
  const errors: string[] = [];
  const [orders, payments] = [await ordersOf(scene, ids), await paymentsOf(scene, ids)];
  const asked = pricesOf(plan);
  const isLost = plan.items.some((item) => item.kind === "lose" && item.topic === topics.ordersIn.name);
  for (const id of ids) {
    const order = orders.get(id)!;
    const wrong = (text: string) => errors.push(`${id}, ${order.status}: ${text}`);
    const books = scene.gateway.booksOf(id);
    const [held, taken, back] = (["held", "taken", "back"] as const).map((what) =>
      books.reduce((sum, book) => sum + book[what], 0),
    );
    const due = order.status === "completed" ? order.total : 0;
    if (held !== 0) wrong(`the gateway still holds ${held}`);
    if (taken! - back! !== due) wrong(`the gateway took ${taken} and gave back ${back}, the order owes ${due}`);
    if (order.captured - order.refunded !== due)
      wrong(`orders books ${order.captured} - ${order.refunded}, it owes ${due}`);
    const payment = payments.get(id);
    if (payment !== undefined) {
      const { authorised, captured, released, refunded } = sums(payment.ledger);
      if (captured !== taken || refunded !== back)
        wrong(`payments books ${captured} - ${refunded}, the gateway ${taken} - ${back}`);
      if (captured + released > authorised || refunded > captured) wrong("the payment's ledger contradicts itself");
    } else if (taken !== 0) wrong("money without a payment");
    if (order.status === "rejected") continue;
    // Of two that take different ways to the shop the first to arrive is the order.
    const first = people.placed.get(id)!;
    const { lines } = first.isForeign || isLost ? orderedAs(plan, first, order.lines) : first;
    if (lines.length !== order.lines.length) wrong("it has other lines than were ordered");
    let total = 0;
    for (const [at, { sku, quantity, unitPrice, amount }] of order.lines.entries()) {
      if (sku !== lines[at]?.sku || quantity !== lines[at].quantity) wrong(`line ${at} is not what was ordered`);
      if (unitPrice === undefined || !asked.get(sku)!.has(unitPrice))
        wrong(`line ${at} costs ${unitPrice}, which ${sku} never did`);
      else if (amount !== amountOf(unitPrice, quantity))
        wrong(`line ${at}: ${quantity} at ${unitPrice} are not ${amount}`);
      total += amountOf(unitPrice ?? "0", quantity);
    }
    if (total !== order.total) wrong(`its total is ${order.total}, its lines add up to ${total}`);
    const ids = order.history.map((entry) => entry[3]);
    if (new Set(ids).size !== ids.length) wrong("its history tells something twice");
  }
  return errors;
}

/** Which of the orders with this id counts where another one may have overtaken the first, or outlived it. */
function orderedAs(
  plan: Plan,
  first: Item & { kind: "order" },
  is: readonly Line[],
): { readonly lines: readonly Line[] } {
  const same = (lines: readonly Line[]): boolean =>
    lines.length === is.length &&
    lines.every(({ sku, quantity }, at) => is[at]?.sku === sku && is[at].quantity === quantity);
  const twist = plan.items.find((item) => item.kind === "twist" && item.orderId === first.orderId && same(item.lines));
  return twist?.kind === "twist" ? twist : first;
}

/** All prices that a product ever had. */
function pricesOf(plan: Plan): Map<string, Set<string>> {
  const all = new Map(skus.map((sku) => [sku, new Set([prices[sku]!])]));
  for (const item of plan.items) if (item.kind === "price") all.get(item.sku)!.add(item.price);
  return all;
}

async function stockErrors(scene: Scene, plan: Plan, ids: readonly string[]): Promise<string[]> {
  const errors: string[] = [];
  const adjusts = plan.items.filter((item): item is Item & { kind: "adjust" } => item.kind === "adjust");
  const decided = await adjustmentsOf(
    scene,
    adjusts.map(({ adjustmentId }) => adjustmentId),
  );
  const onHand = new Map(Object.entries(stock));
  for (const { adjustmentId, sku, quantity } of adjusts) {
    const known = decided.get(adjustmentId);
    if (known === undefined) errors.push(`the adjustment ${adjustmentId} was lost`);
    else if (known.refused === undefined) onHand.set(sku, onHand.get(sku)! + quantity);
  }
  const [orders, reservations, shipments] = [
    await ordersOf(scene, ids),
    await reservationsOf(scene, ids),
    await shipmentsOf(scene, ids),
  ];
  for (const id of ids) {
    const { status } = orders.get(id)!;
    const goods = reservations.get(id);
    const sent = shipments.get(id)?.status;
    const isSent = sent === "dispatched" || sent === "delivered";
    if (isSent !== (status === "completed")) errors.push(`${id} is ${status}, its shipment is ${sent}`);
    if ((goods?.status === "shipped") !== isSent)
      errors.push(`the goods of ${id} are ${goods?.status}, its shipment is ${sent}`);
    if (goods?.status !== "shipped") continue;
    for (const { sku, quantity } of goods.lines) onHand.set(sku, onHand.get(sku)! - quantity);
  }
  if (scene.isRewound) return errors;
  for (const [sku, { onHand: counted, reserved }] of await stockOf(scene, skus)) {
    if (reserved !== 0) errors.push(`${reserved} ${sku} are reserved for nobody`);
    if (counted !== onHand.get(sku)) errors.push(`${counted} ${sku} are on the books, ${onHand.get(sku)} on the shelf`);
    if (counted < 0) errors.push(`${counted} ${sku} are on the books`);
  }
  return errors;
}

async function letterErrors(scene: Scene, ids: readonly string[]): Promise<string[]> {
  const errors: string[] = [];
  const count = new Map<string, number>();
  for (const { orderId, kind } of scene.mailbox.letters) {
    const name = `${kind} of ${orderId}`;
    count.set(name, (count.get(name) ?? 0) + 1);
  }
  const firsts = new Map<string, number>();
  for (const [at, { orderId, kind }] of scene.mailbox.letters.entries()) {
    const name = `${kind} of ${orderId}`;
    if (!firsts.has(name)) firsts.set(name, at);
  }
  for (const id of ids) {
    const [first = 0, second = Infinity] = [firsts.get(`confirmed of ${id}`), firsts.get(`shipped of ${id}`)];
    if (first > second) errors.push(`the letter shipped of ${id} arrived before that it is confirmed`);
  }
  const [orders, written] = [await ordersOf(scene, ids), await mailsOf(scene, ids)];
  for (const id of ids) {
    const { status, refunded } = orders.get(id)!;
    const wanted = status === "completed" ? ["confirmed", "shipped"] : status === "cancelled" ? ["cancelled"] : [];
    if (refunded > 0) wanted.push("refunded");
    for (const kind of wanted) {
      if (!count.has(`${kind} of ${id}`)) errors.push(`nobody got the letter ${kind} of ${id}`);
      if (!written.get(id)?.written.some((one) => one === kind)) errors.push(`no letter ${kind} of ${id} was written`);
    }
  }
  const isOnce = scene.setting.mailKeys;
  for (const [name, times] of count) if (isOnce && times > 1) errors.push(`the letter ${name} arrived ${times} times`);
  return errors;
}
