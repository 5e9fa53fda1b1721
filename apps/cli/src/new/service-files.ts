/** The files of a new service, by their paths from its folder. */
export type ServiceFiles = Readonly<Record<string, string>>;

/** `gift-cards` as a name in code: `giftCards`. */
export function identifierOf(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

/**
 * A small service that works: it counts the completed orders of each customer, and says the count. It says what it says in a
 * topic of its own, so that nothing else has to know of it.
 */
export function serviceFiles(name: string): ServiceFiles {
  const own = identifierOf(name);
  return {
    "src/contract.ts": contract(name, own),
    "src/rules.ts": rules,
    "src/service.ts": wiring(name, own),
    "src/index.ts": `export { ${own}, tally } from "./service.ts";\n`,
    [`test/${name}.test.ts`]: test(name, own),
  };
}

function contract(name: string, own: string): string {
  return `import { id } from "@waybill/contracts";
import { event, topic } from "@waybill/messaging";
import { type } from "arktype";

/** Where ${name} speaks, and nobody else. */
const told = topic("${name}", { writers: ["${name}"] });

/** A customer has completed one order more. */
export const ${own}Counted = event("${name}.counted", {
  topic: told,
  schema: type({ customerId: id, orderId: id, orders: "number.integer >= 1" }),
  subject: (m) => m.customerId,
  samples: [{ customerId: "ann", orderId: "1001", orders: 1 }],
});
`;
}

const rules = `/** What is kept of a customer. */
export interface Tally {
  /** How many orders were completed. */
  readonly orders: number;
}

/** A customer's tally with one order more; undefined stands for a customer who had none. */
export function counted(tally: Tally | undefined): Tally {
  return { orders: (tally?.orders ?? 0) + 1 };
}
`;

function wiring(name: string, own: string): string {
  return `import { orderCompleted } from "@waybill/contracts";
import { service, state, when, type Service } from "@waybill/messaging";
import { ${own}Counted } from "./contract.ts";
import { counted, type Tally } from "./rules.ts";

/** By the customer's id. */
export const tally = state<Tally>("tally");

/** Counts the completed orders of each customer. */
export function ${own}(): Service {
  return service("${name}", {
    lanesMax: 1, // A customer's orders share a tally, so one lane owns all tallies.
    on: [
      when(
        orderCompleted,
        (m) => [tally(m.customerId)],
        ({ customerId, orderId }, [held], out) => {
          const next = counted(held.value);
          out.save(held, next);
          out.send(${own}Counted, { customerId, orderId, orders: next.orders });
        },
      ),
    ],
    sends: [${own}Counted],
  });
}
`;
}

function test(name: string, own: string): string {
  return `import { orderCompleted } from "@waybill/contracts";
import { specification } from "@waybill/messaging/specification";
import { expect, test } from "vitest";
import { ${own}, tally } from "../src/index.ts";

const completed = { orderId: "1001", customerId: "ann", placedAtMs: 0, currency: "GBP", total: 1_530 } as const;

test("given a completed order, when the customer completes another, then two are counted", () => {
  const spec = specification(${own}());
  expect(spec.when(orderCompleted, completed).sent).toEqual([
    { type: "${name}.counted", body: { customerId: "ann", orderId: "1001", orders: 1 } },
  ]);
  spec.when(orderCompleted, { ...completed, orderId: "1002" });
  expect(spec.state(tally("ann"))).toEqual({ orders: 2 });
  expect(spec.state(tally("bob"))).toBeUndefined();
});
`;
}
