import type { Mutant } from "./mutant.ts";

/** Bugs of the shop's own rules. */
export const shopMutants: readonly Mutant[] = [
  {
    name: "rounding-lost",
    bug: "Half a penny is always rounded up",
    edits: [
      {
        file: "packages/contracts/src/money.ts",
        find: "(twice === divisor && quotient % 2n === 1n)",
        replace: "twice === divisor",
      },
    ],
  },
  {
    name: "rounded-once",
    bug: "A unit price is rounded before it is multiplied",
    edits: [
      {
        file: "packages/contracts/src/money.ts",
        find: "  return Number(dividedHalfEven(exact, 10n ** BigInt(priceDigits - minorDigits[currency])));",
        replace:
          "  return Number(dividedHalfEven(exact / BigInt(quantity), 10n ** BigInt(priceDigits - minorDigits[currency]))) * quantity;",
      },
    ],
  },
  {
    name: "part-reserved",
    bug: "An order that cannot be had whole gets what is there",
    edits: [
      {
        file: "services/inventory/src/rules.ts",
        find: "  const after = stocks.map((stock, at) => moved(stock, 0, demand[at]!.quantity));\n  const lines = movements(demand, after);",
        replace:
          "  const after = stocks.map((stock, at) => moved(stock, 0, Math.min(available(stock), demand[at]!.quantity)));\n  const lines = movements(demand, after);",
      },
      { file: "services/inventory/src/rules.ts", find: "if (short.length > 0) {", replace: "if (short.length > 1) {" },
    ],
  },
  {
    name: "lines-of-one-sku-apart",
    bug: "Two lines of one SKU are each checked against all that is there",
    edits: [
      {
        file: "services/inventory/src/rules.ts",
        find: "  return Array.from(sums, ([sku, quantity]) => ({ sku, quantity }));",
        replace: "  return sums.size > 0 ? lines : [];",
      },
    ],
  },
  {
    name: "reserved-twice",
    bug: "An order that is placed twice reserves twice",
    edits: [
      {
        file: "services/orders/src/service.ts",
        find: "(m, [held]) => (held.value === undefined ? skusOf(m.lines).map(product) : []),",
        replace: "(m) => skusOf(m.lines).map(product),",
      },
      {
        file: "services/orders/src/service.ts",
        find: "        if (held.value !== undefined) return carryOut(held, rules.placedAgain(held.value, m), out);\n        const known",
        replace: "        const known",
      },
      {
        file: "services/inventory/src/service.ts",
        find: "(m, [held]) => (held.value === undefined ? stocksOf(demandOf(m.lines)) : []),",
        replace: "(m) => stocksOf(demandOf(m.lines)),",
      },
      {
        file: "services/inventory/src/service.ts",
        find: "          if (held.value !== undefined) return;\n          carryOut",
        replace: "          carryOut",
      },
    ],
  },
  {
    name: "cancel-keeps-goods",
    bug: "A cancelled order's goods stay reserved",
    edits: [
      {
        file: "services/inventory/src/rules.ts",
        find: '  if (from.status !== "held") return undefined;\n',
        replace: '  if (from.status !== "held" || from.lines.length > 1) return undefined;\n',
      },
    ],
  },
  {
    name: "release-ignores-shipped",
    bug: "Goods that were shipped are released as well",
    edits: [
      {
        file: "services/inventory/src/rules.ts",
        find: '  if (from.status !== "held") return undefined;\n',
        replace: '  if (from.status === "released" || from.status === "refused") return undefined;\n',
      },
      { file: "services/inventory/src/rules.ts", find: "  shipped: [],\n", replace: '  shipped: ["released"],\n' },
    ],
    tests: ["services/inventory/test/books.test.ts"],
  },
  {
    name: "adjusted-twice",
    bug: "An adjustment that comes twice counts twice",
    edits: [
      {
        file: "services/inventory/src/service.ts",
        find: "          if (decided.value !== undefined) return;\n",
        replace: "",
      },
    ],
  },
  {
    name: "late-money-kept",
    bug: "Money that arrives for a cancelled order is kept",
    edits: [
      {
        file: "services/payments/src/rules.ts",
        find: 'if (payment.giveBack === true) return asked(payment, "voiding", "void", atMs);\n  if (payment.renewed',
        replace: "if (payment.renewed",
      },
    ],
  },
  {
    name: "paid-without-goods",
    bug: "Money is taken when it is authorised, not when the goods have left",
    edits: [
      {
        file: "services/payments/src/rules.ts",
        find: 'return ended(payment, "authorised", paymentAuthorised);\n}\n\nfunction captured',
        replace:
          'const held = ended(payment, "authorised", paymentAuthorised);\n  const taking = asked(held.payment, "capturing", "capture", atMs);\n  return { ...taking, say: [...held.say, ...taking.say] };\n}\n\nfunction captured',
      },
    ],
  },
  {
    name: "expired-forgotten",
    bug: "An authorisation that has expired is taken for a void that failed",
    edits: [
      {
        file: "services/payments/src/rules.ts",
        find: "if (reason === expired) return ended({ ...lapsed(payment, atMs), pending: undefined }",
        replace: 'if (reason === "") return ended({ ...lapsed(payment, atMs), pending: undefined }',
      },
    ],
  },
  {
    name: "cancel-after-dispatch",
    bug: "A cancel that comes after the dispatch cancels the order",
    edits: [
      {
        file: "services/orders/src/rules.ts",
        find: '    case "shipped":\n    case "unpaid":\n    case "completed":\n      return cancelTooLate(order);',
        replace:
          '    case "shipped":\n      return cancelledFor({ ...order, status: "reserved" }, "requested", reason);\n    case "unpaid":\n    case "completed":\n      return cancelTooLate(order);',
      },
    ],
  },
  {
    name: "dispatched-though-cancelled",
    bug: "A shipment that was cancelled leaves",
    edits: [
      {
        file: "services/fulfilment/src/rules.ts",
        find: '  if (shipment.status === "cancelled") return refused(m.orderId, "dispatch", "The shipment is cancelled.");\n  if (shipment.status !== "waiting") return nothing;',
        replace: '  if (shipment.status !== "waiting" && shipment.status !== "cancelled") return nothing;',
      },
      {
        file: "services/fulfilment/src/rules.ts",
        find: "  cancelled: [],\n} as const;",
        replace: '  cancelled: ["dispatched"],\n} as const;',
      },
      {
        file: "services/fulfilment/src/service.ts",
        find: 'if (held.value?.status === "waiting")',
        replace: "if (held.value !== undefined)",
      },
      {
        file: "services/fulfilment/src/service.ts",
        find: "if (decision.shipment !== undefined && dispatchAfterMs !== undefined) out.clear(dispatchDue);",
        replace: "",
      },
    ],
  },
  {
    name: "letter-twice",
    bug: "A letter is written each time that its message is handled",
    edits: [
      {
        file: "services/notifications/src/rules.ts",
        find: "return before.includes(kind) ? undefined : {",
        replace: "return before.length > 9 ? undefined : {",
      },
    ],
    tests: ["services/notifications/test/notifications.test.ts"],
  },
  {
    name: "deadline-left-out",
    bug: "Nothing happens when the payment deadline passes",
    edits: [
      { file: "services/orders/src/rules.ts", find: 'say: [said], deadline: "set" };', replace: "say: [said] };" },
    ],
    tests: ["services/orders/test/life.test.ts"],
  },
];
