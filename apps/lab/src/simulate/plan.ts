import { rolls, type Chances, type Rolls } from "@waybill/simulator";

/** How a shop is built for one seed. */
export interface Setting {
  readonly partitions: number;
  /** How many lanes a service has that may have several. */
  readonly lanes: number;
  /** How many processes run it. */
  readonly processes: number;
  /** How doubt about a call to the gateway is cleared up: by asking it, or by repeating a key while it remembers it. */
  readonly gateway: "find" | "key";
  readonly keyTtlMs: number;
  /** Whether the mail provider knows keys. */
  readonly mailKeys: boolean;
  readonly dispatchAfterMs: number | undefined;
  readonly paymentDeadlineMs: number;
  readonly outboxGraceMs: number;
  readonly troubleMs: number;
  /** How often a process says that it is alive; it counts as dead after five times as long. */
  readonly tickMs: number;
  /** Whether what rules get and save is frozen, so that one which changes it in place is found out. */
  readonly freeze: boolean;
}

export type Token = "tok_approved" | "tok_declined" | "tok_expires" | "tok_capture_refused";

export interface Line {
  readonly sku: string;
  readonly quantity: number;
}

/** Something that is going to happen, at a moment. Any of them may be left out. */
export type Item = { readonly id: string; readonly atMs: number } & (
  | {
      readonly kind: "order";
      readonly orderId: string;
      readonly lines: readonly Line[];
      readonly token: Token;
      /** Placed again, word for word, so much later. */
      readonly againAfterMs: readonly number[];
      /** Placed by a program that chooses partitions in another way. */
      readonly isForeign: boolean;
    }
  /** The same id with other content. */
  | { readonly kind: "twist"; readonly orderId: string; readonly lines: readonly Line[] }
  | { readonly kind: "cancel"; readonly orderId: string; readonly isForeign: boolean }
  | { readonly kind: "price"; readonly sku: string; readonly price: string; readonly active: boolean }
  | { readonly kind: "adjust"; readonly adjustmentId: string; readonly sku: string; readonly quantity: number }
  | { readonly kind: "crash"; readonly process: number; readonly awayMs: number }
  | {
      readonly kind: "death";
      readonly process: number;
      readonly call: "commit" | "append" | "claim" | "effect";
      readonly after: number;
      readonly when: "before" | "after";
      readonly awayMs: number;
    }
  /** All processes are killed. */
  | { readonly kind: "outage"; readonly ms: number }
  | { readonly kind: "pause"; readonly process: number; readonly ms: number }
  | { readonly kind: "close"; readonly process: number; readonly awayMs: number }
  | { readonly kind: "deploy"; readonly process: number; readonly level: number }
  | { readonly kind: "weather"; readonly ms: number; readonly chances: Partial<Chances> }
  | { readonly kind: "gateway"; readonly ms: number; readonly chances: Partial<GatewayChances> }
  | { readonly kind: "mail"; readonly ms: number }
  | { readonly kind: "down"; readonly topic: string; readonly ms: number }
  | { readonly kind: "stall"; readonly topic: string; readonly ms: number }
  /** `unreadMs`: nobody has read the topic for so long before. */
  | { readonly kind: "lose"; readonly topic: string; readonly count: number; readonly unreadMs: number }
  | { readonly kind: "recreate"; readonly topic: string }
  | { readonly kind: "rewind"; readonly service: string; readonly ms: number }
  /** The tables are lost, and made anew. */
  | { readonly kind: "wipe"; readonly service: string }
  | { readonly kind: "clock"; readonly byMs: number }
  /** An operator tries again whatever is set aside. */
  | { readonly kind: "redrive"; readonly service: string }
);

/** What a gateway does to a call when it is in trouble, from 0 to 1. */
export interface GatewayChances {
  /** It is asked to come back later. */
  busy: number;
  /** The request does not arrive. */
  lost: number;
  /** It does what it is asked, and hangs up. */
  answerLost: number;
  /** The answer comes, but late; perhaps after nobody waits any more. */
  late: number;
  /** The request arrives late, when the caller has long given up waiting. */
  lateRequest: number;
  /** The request arrives twice. */
  twice: number;
}

export interface Plan {
  readonly seed: number;
  /** Another one: the same things happen, and all else falls out in another way. */
  readonly salt: number;
  readonly setting: Setting;
  readonly items: readonly Item[];
}

/** Until when things go wrong; and where a topic is an hour behind the others, or everything is down for so long. */
const troubleMs = 30_000;
const hourMs = 3_600_000;
const longTroubleMs = hourMs + 100_000;

export const stock: Readonly<Record<string, number>> = { mug: 60, cup: 40, jar: 12, lamp: 3 };
/** Prices that sum up wrongly when they are rounded in any other way than once a line, half to even. */
export const prices: Readonly<Record<string, string>> = { mug: "2.55", cup: "0.125", jar: "10.0049", lamp: "33.335" };
export const skus = Object.keys(stock);
export const serviceNames = ["catalogue", "orders", "inventory", "payments", "fulfilment", "notifications"] as const;
/**
 * Services that decide the same when they read the same again. Inventory does not: who gets the last piece depends on the order in which
 * it reads several partitions, and what it has said already stays said.
 */
const rewindable = serviceNames.filter((name) => name !== "inventory");
const stamped = ["products", "orders", "stock", "payments", "shipments"] as const;
const doors = ["orders-in", "stock-in", "payments-in", "shipments-in"] as const;

/** Everything that a seed means, before anything of it happens. */
export function planOf(seed: number): Plan {
  const chance = rolls(seed, "plan");
  const setting = settingOf(chance);
  const items = [...shopping(rolls(seed, "shopping")), ...trouble(rolls(seed, "trouble"), setting)];
  if (setting.troubleMs > troubleMs) {
    const atMs = chance.between(0, 20_000);
    if (chance.chance(0.5)) items.push({ id: "outage", atMs, kind: "outage", ms: hourMs });
    else items.push({ id: "hour-behind", atMs, kind: "stall", topic: chance.pick(stamped), ms: hourMs });
  }
  items.push(...late(rolls(seed, "late"), items));
  return { seed, salt: 0, setting, items: items.toSorted((a, b) => a.atMs - b.atMs) };
}

function settingOf(chance: Rolls): Setting {
  return {
    partitions: chance.pick([2, 3]),
    lanes: chance.pick([1, 1, 2]),
    processes: chance.pick([1, 2, 2, 3]),
    gateway: chance.pick(["find", "find", "key"]),
    keyTtlMs: 45_000,
    mailKeys: chance.chance(0.5),
    dispatchAfterMs: chance.pick([0, 5_000, undefined]),
    paymentDeadlineMs: chance.pick([20_000, 60_000]),
    outboxGraceMs: 600_000,
    freeze: chance.chance(0.2),
    ...(chance.chance(0.04)
      ? { troubleMs: longTroubleMs, tickMs: 20_000 }
      : { troubleMs, tickMs: chance.pick([1_000, 2_000]) }),
  };
}

function linesOf(chance: Rolls): Line[] {
  return Array.from({ length: chance.pick([1, 1, 2, 3]) }, () => ({
    sku: chance.chance(0.02) ? "ghost" : chance.pick(skus),
    quantity: chance.pick([1, 1, 2, 3, 5]),
  }));
}

/** What customers and the shop's own people do. */
function shopping(chance: Rolls): Item[] {
  const items: Item[] = [];
  const count = chance.between(20, 24);
  const rushes = chance.pick([[0], [0, 9_000]]);
  const spanMs = chance.pick([10, 100, 2_000]);
  for (let n = 1; n <= count; n++) {
    const orderId = `o-${n}`;
    const atMs = chance.pick(rushes) + chance.between(1, spanMs);
    const isForeign = chance.chance(0.1);
    const token = chance.pick<Token>([
      "tok_approved",
      "tok_approved",
      "tok_approved",
      "tok_approved",
      "tok_approved",
      "tok_declined",
      "tok_expires",
      "tok_capture_refused",
    ]);
    const againAfterMs = chance.chance(0.15) ? [chance.between(0, 15_000)] : [];
    items.push({
      id: `order-${n}`,
      atMs,
      kind: "order",
      orderId,
      lines: linesOf(chance),
      token,
      againAfterMs,
      isForeign,
    });
    if (chance.chance(0.05)) {
      items.push({
        id: `twist-${n}`,
        atMs: atMs + chance.between(1, 5_000),
        kind: "twist",
        orderId,
        lines: linesOf(chance),
      });
    }
    if (chance.chance(token === "tok_expires" ? 0.6 : 0.25)) {
      const worst = token === "tok_expires" ? chance.between(3_000, 5_000) : chance.between(0, 100);
      const afterMs = chance.pick([worst, chance.between(100, 10_000), chance.between(0, 20_000)]);
      items.push({ id: `cancel-${n}`, atMs: atMs + afterMs, kind: "cancel", orderId, isForeign });
    }
  }
  for (let n = 1; n <= chance.between(0, 3); n++) {
    const price = `${chance.between(0, 40)}.${chance.between(0, 9_999).toString().padStart(4, "0")}`;
    const atMs = chance.between(0, 20_000);
    items.push({ id: `price-${n}`, atMs, kind: "price", sku: chance.pick(skus), price, active: chance.chance(0.85) });
  }
  for (let n = 1; n <= chance.between(0, 4); n++) {
    const quantity = chance.between(-5, 20);
    items.push({
      id: `adjust-${n}`,
      atMs: chance.between(0, 20_000),
      kind: "adjust",
      adjustmentId: `a-${n}`,
      sku: chance.pick(skus),
      quantity,
    });
  }
  return items;
}

/** How long after tables were put back the next orders come. */
const lateMs = 6_000;

/** Orders that come after all tables were put back. What came before may be decided another time in another way; they may not. */
function late(chance: Rolls, items: readonly Item[]): Item[] {
  const backMs = items.flatMap((item) => {
    if (item.kind === "wipe") return item.atMs;
    return item.kind === "rewind" ? item.atMs + item.ms : [];
  });
  if (backMs.length === 0) return [];
  return Array.from({ length: 4 }, (_, n) => ({
    id: `late-${n}`,
    atMs: Math.max(...backMs) + lateMs + chance.between(0, 2_000),
    kind: "order" as const,
    orderId: `late-${n}`,
    lines: linesOf(chance),
    token: chance.pick<Token>(["tok_approved", "tok_approved", "tok_declined"]),
    againAfterMs: [],
    isForeign: false,
  }));
}

type Fault = (chance: Rolls, setting: Setting) => Omit<Item, "id" | "atMs">;

const faults: readonly (readonly [odds: number, name: string, roll: Fault])[] = [
  [0.6, "crash", (c, s) => ({ kind: "crash", process: c.between(0, s.processes - 1), awayMs: c.between(10, 12_000) })],
  [
    0.6,
    "death",
    (c, s) => ({
      kind: "death",
      process: c.between(0, s.processes - 1),
      call: c.pick(["commit", "commit", "append", "claim", "effect"]),
      after: c.between(0, 40),
      when: c.pick(["before", "after"]),
      awayMs: c.between(10, 12_000),
    }),
  ],
  [0.4, "pause", (c, s) => ({ kind: "pause", process: c.between(0, s.processes - 1), ms: c.between(100, 15_000) })],
  [0.3, "close", (c, s) => ({ kind: "close", process: c.between(0, s.processes - 1), awayMs: c.between(10, 5_000) })],
  [0.25, "deploy", (c, s) => ({ kind: "deploy", process: c.between(0, s.processes - 1), level: c.between(1, 2) })],
  [0.5, "weather", (c) => ({ kind: "weather", ms: c.between(500, 20_000), chances: badWeather(c) })],
  [0.5, "gateway", (c) => ({ kind: "gateway", ms: c.between(1_000, 40_000), chances: badGateway(c) })],
  [0.2, "redrive", (c) => ({ kind: "redrive", service: c.pick(serviceNames) })],
  [0.15, "mail", (c) => ({ kind: "mail", ms: c.between(1_000, 40_000) })],
  [0.25, "down", (c) => ({ kind: "down", topic: c.pick([...stamped, ...doors]), ms: c.between(1_000, 60_000) })],
  [0.25, "stall", (c) => ({ kind: "stall", topic: c.pick([...stamped, ...doors]), ms: c.between(1_000, 60_000) })],
  [0.2, "clock", (c) => ({ kind: "clock", byMs: c.between(-60_000, 60_000) })],
  [0.1, "rewind", (c) => ({ kind: "rewind", service: c.pick(rewindable), ms: c.between(20, 5_000) })],
  [0.05, "wipe", (c) => ({ kind: "wipe", service: c.pick(rewindable) })],
  [
    0.15,
    "lose",
    (c) => ({
      kind: "lose",
      topic: c.pick([...stamped, ...stamped, "orders-in"]),
      count: c.pick([1, 1, 2, 5, 1_000]),
      unreadMs: c.pick([0, 100, 2_000]),
    }),
  ],
  [0.1, "recreate", (c) => ({ kind: "recreate", topic: c.pick(stamped) })],
];

/** A few kinds of trouble, of each a few; never all kinds at once, for some hide what others show. */
function trouble(chance: Rolls, setting: Setting): Item[] {
  // A put-back by itself shows what others would hide.
  if (chance.chance(0.05)) return [rewound(chance)];
  const items: Item[] = [];
  let isRewound = false;
  for (const [odds, name, roll] of faults) {
    const isChosen = chance.chance(odds);
    // What a database has forgotten is only on the logs: to lose both is to lose it.
    if (!isChosen || (isRewound && (name === "lose" || name === "recreate"))) continue;
    isRewound ||= name === "rewind" || name === "wipe";
    for (let n = 1; n <= chance.pick([1, 1, 2, 3]); n++) {
      const atMs = chance.between(50, chance.pick([6_000, 16_000]));
      items.push({ id: `${name}-${n}`, atMs, ...roll(chance, setting) } as Item);
    }
  }
  return items;
}

function rewound(chance: Rolls): Item {
  const atMs = chance.between(50, 4_000);
  return { id: "rewind-1", atMs, kind: "rewind", service: chance.pick(rewindable), ms: chance.between(20, 2_000) };
}

function badWeather(chance: Rolls): Partial<Chances> {
  const names = [
    "commitAnswerLost",
    "commitLost",
    "commitLate",
    "callFails",
    "callAnswerLost",
    "appendFails",
    "appendAnswerLost",
    "appendPart",
    "appendLate",
    "fetchFails",
    "slow",
  ] as const;
  const chances: Partial<Chances> = { slowMsMax: chance.pick([200, 2_000, 8_000]) };
  for (const name of names) if (chance.chance(0.3)) chances[name] = chance.pick([0.02, 0.1, 0.3]);
  return chances;
}

function badGateway(chance: Rolls): Partial<GatewayChances> {
  const chances: Partial<GatewayChances> = {};
  for (const name of ["busy", "lost", "answerLost", "late", "lateRequest", "twice"] as const) {
    if (chance.chance(0.5)) chances[name] = chance.pick([0.1, 0.3]);
  }
  return chances;
}

/** What an order costs at these prices, worked out apart from the shop's own rules: in ten-thousandths, rounded half to even. */
export function amountOf(price: string, quantity: number): number {
  const [whole = "0", part = ""] = price.split(".");
  const tenThousandths = (Number(whole) * 10_000 + Number(part.padEnd(4, "0"))) * quantity;
  const down = Math.floor(tenThousandths / 100);
  const rest = tenThousandths - down * 100;
  if (rest !== 50) return rest > 50 ? down + 1 : down;
  return down % 2 === 0 ? down : down + 1;
}
