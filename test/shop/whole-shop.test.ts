import {
  orderCancel,
  orderPlace,
  paymentResolve,
  productChanged,
  productPut,
  shipmentDeliver,
  shipmentDispatch,
  stockAdjust,
} from "@waybill/contracts";
import { reservation, stock } from "@waybill/inventory";
import type { AnyMessageType, Outcome } from "@waybill/messaging";
import { order, transitions } from "@waybill/orders";
import { payment, sums } from "@waybill/payments";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { gatewayLedger, type Behaviour } from "./gateway-ledger.ts";
import { shop, type Call, type Shop } from "./router.ts";

const skus = ["mug", "cup", "jar"];
const stocked = 20;

/** A small generator whose whole run follows from its seed (Tommy Ettinger's mulberry32). */
function numbers(seed: number) {
  let state = seed;
  return (n: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % Math.max(n, 1);
  };
}

interface Plan {
  readonly seed: number;
  readonly orders: readonly { readonly sku: string; readonly quantity: number }[][];
  readonly cancels: readonly number[];
  readonly dispatchAfterMs: number | undefined;
}

const plan: fc.Arbitrary<Plan> = fc.record({
  seed: fc.integer(),
  orders: fc.array(
    fc.array(fc.record({ sku: fc.constantFrom(...skus, "ghost"), quantity: fc.integer({ min: 1, max: 9 }) }), {
      minLength: 1,
      maxLength: 4,
    }),
    { minLength: 1, maxLength: 8 },
  ),
  cancels: fc.array(fc.nat(7), { maxLength: 5 }),
  dispatchAfterMs: fc.constantFrom(undefined, 0, 30_000),
});

/** What cannot be repeated long after: a door takes the last word on a product, and marks drop repeats behind it. */
const once: ReadonlySet<AnyMessageType> = new Set<AnyMessageType>([productPut, productChanged]);

function seeded({ seed, dispatchAfterMs }: Plan) {
  const pick = numbers(seed);
  const gateway = gatewayLedger();
  const answer = (call: Call): Outcome<unknown> => {
    if (call.name === "mail.send" || call.name === "gateway.presence") return { kind: "done", value: null };
    const behaviours: Behaviour[] = ["done", "done", "done", "done", "refused", "done-unknown", "lost-unknown"];
    if (call.name === "payment.capture" || call.name === "payment.void") behaviours.push("expired");
    return gateway.call(call.name, call.input, behaviours[pick(behaviours.length)]!);
  };
  const run = shop({ pick, fulfilment: dispatchAfterMs === undefined ? {} : { dispatchAfterMs } });
  return { pick, gateway, answer, run };
}

function stockUp(run: Shop): void {
  for (const sku of skus) {
    run.send(productPut, { sku, title: sku, price: "2.55", currency: "GBP", active: true });
    run.send(stockAdjust, { adjustmentId: `first-${sku}`, sku, quantity: stocked, reason: "Delivery" });
  }
  while (run.deliver());
}

function orderOf(at: number, lines: Plan["orders"][number]) {
  const customer = { id: `c-${at}`, email: `c${at}@example.org` };
  return { orderId: `o-${at}`, placedAtMs: at, customer, currency: "GBP", lines, payment: { token: "tok" } } as const;
}

/** All that is asked for, in any moment between all that happens. */
function wishesOf({ orders, cancels }: Plan): (readonly [AnyMessageType, { orderId: string }])[] {
  const places = orders.map((lines, at) => [orderPlace, orderOf(at, lines)] as const);
  const asked = cancels.map((at) => [orderCancel, { orderId: `o-${at}`, reason: "Changed my mind." }] as const);
  const sent = orders.map((_, at) => [shipmentDispatch, { orderId: `o-${at}` }] as const);
  const handed = orders.map((_, at) => [shipmentDeliver, { orderId: `o-${at}` }] as const);
  return [...places, ...asked, ...sent, ...handed];
}

/** Runs the plan until nothing moves any more; then people settle what only people can. */
function live(plan: Plan) {
  const { pick, gateway, answer, run } = seeded(plan);
  stockUp(run);
  const wishes = wishesOf(plan);
  for (let step = 0; step < 4_000; step++) {
    const way = pick(12);
    if (way === 0 && wishes.length > 0) run.send(...wishes.splice(pick(wishes.length), 1)[0]!);
    else if (way === 1) run.repeat(once);
    else if (way === 2 && pick(8) === 0) run.tick();
    else if (way < 5) run.answer(answer);
    else if (!run.deliver() && !run.answer(answer) && wishes.length === 0 && !people(run, plan, gateway) && !run.tick())
      break;
    balanced(run, plan);
  }
  return { run, gateway };
}

/** Dispatches what waits, and says what became of the payments that need attention. False when nothing needs a person. */
function people(run: Shop, { orders }: Plan, gateway: ReturnType<typeof gatewayLedger>): boolean {
  for (const [at] of orders.entries()) {
    const orderId = `o-${at}`;
    const known = run.services.payments!.state(payment(orderId));
    if (known?.status === "attention") {
      const operation = known.pending!;
      const outcome =
        gateway.truth(`payment.${operation}`, orderId, known.amount) === "done"
          ? { kind: "done", paymentId: `pay-${orderId}`, operationId: `by-hand-${operation}` }
          : { kind: "refused", reason: "Nothing there." };
      run.send(paymentResolve, { orderId, operation, outcome });
      return true;
    }
    if (run.services.orders!.state(order(orderId))?.status === "confirmed") {
      run.send(shipmentDispatch, { orderId });
      return true;
    }
  }
  return false;
}

/** What must hold after every single step. */
function balanced(run: Shop, { orders }: Plan): void {
  for (const sku of skus) {
    const { onHand, reserved } = run.services.inventory!.state(stock(sku))!;
    expect(reserved).toBeGreaterThanOrEqual(0);
    expect(onHand).toBeGreaterThanOrEqual(reserved);
  }
  for (const [at] of orders.entries()) {
    const { authorised, captured, released, refunded } = sums(
      run.services.payments!.state(payment(`o-${at}`))?.ledger ?? [],
    );
    expect(captured + released).toBeLessThanOrEqual(authorised);
    expect(refunded).toBeLessThanOrEqual(captured);
  }
}

function settledBooks({ run, gateway }: ReturnType<typeof live>, plan: Plan): void {
  const shipped = new Map<string, number>();
  for (const [at, lines] of plan.orders.entries()) {
    const known = run.services.orders!.state(order(`o-${at}`))!;
    expect(transitions[known.status], `o-${at} is ${known.status}`).toEqual([]);
    const book = gateway.books.get(known.orderId) ?? { held: 0, taken: 0, back: 0 };
    const isCompleted = known.status === "completed";
    expect({ orderId: known.orderId, kept: book.taken - book.back, held: book.held }).toEqual({
      orderId: known.orderId,
      kept: isCompleted ? known.total : 0,
      held: 0,
    });
    expect(known.captured - known.refunded).toBe(isCompleted ? known.total : 0);
    expect(known.attention).toBeUndefined();
    const goods = run.services.inventory!.state(reservation(known.orderId))?.status ?? "refused";
    // An order that is cancelled before its goods were held may have got none.
    const expected = { completed: ["shipped"], cancelled: ["released", "refused"], rejected: ["refused"] };
    expect(expected[known.status as keyof typeof expected]).toContain(goods);
    if (isCompleted) for (const { sku, quantity } of lines) shipped.set(sku, (shipped.get(sku) ?? 0) + quantity);
  }
  for (const sku of skus) {
    expect(run.services.inventory!.state(stock(sku))).toMatchObject({
      onHand: stocked - (shipped.get(sku) ?? 0),
      reserved: 0,
    });
  }
}

test("whatever comes in whatever order and twice, every order settles and all books balance", () => {
  const settles = fc.property(plan, (plan) => settledBooks(live(plan), plan));
  expect(() => fc.assert(settles, { numRuns: 40 })).not.toThrow();
}, 60_000);
