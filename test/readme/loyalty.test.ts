import { orderCompleted } from "@waybill/contracts";
import { specification } from "@waybill/messaging/specification";
import { expect, test } from "vitest";
import { loyalty } from "./loyalty.ts";

const completed = { orderId: "1001", customerId: "ann", placedAtMs: 0, currency: "GBP", total: 1_530 } as const;

test("the README's service counts an account's points from order to order", () => {
  const spec = specification(loyalty);
  expect(spec.when(orderCompleted, completed).sent).toEqual([
    { type: "points.earned", body: { customerId: "ann", orderId: "1001", points: 15 } },
  ]);
  spec.when(orderCompleted, { ...completed, orderId: "1002", total: 999 });
  const account = loyalty.rules[0]!.steps[0]!(completed as never)[0]!;
  expect(spec.state(account)).toEqual({ points: 24 });
});
