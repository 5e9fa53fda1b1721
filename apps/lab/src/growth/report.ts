import type { Row } from "../table.ts";
import { lineThrough, type Line, type Point } from "./line.ts";
import { plotted } from "./plot.ts";
import type { Growth } from "./run.ts";
import type { Cost, Stop } from "./sweep.ts";

const slopeMax = { messages: 0.03, products: 0.05 } as const;
const restartMsMax = 2_000;
/** How many of a stop's pairs of rounds do not count, at either end. */
const disturbed = 1;

type What = keyof typeof slopeMax;

/** A sweep as it is reported: what a message cost in each pair of rounds that counts, and how that grows. */
interface Sweep {
  readonly cpuMicros: readonly Point[];
  readonly rssMiB: readonly Point[];
  readonly cost: Line;
  readonly wall: Line;
  readonly memory: Line;
}

function sweepOf(what: What, stops: readonly Stop[]): Sweep {
  const cpuMicros = costs(what, stops, "cpuMicrosPerMessage");
  const rssMiB = stops.map((stop): Point => ({ x: stop[what], y: stop.rssMiB }));
  const wall = lineThrough(costs(what, stops, "wallMicrosPerMessage"));
  return { cpuMicros, rssMiB, cost: lineThrough(cpuMicros), wall, memory: lineThrough(rssMiB) };
}

/**
 * A point for each pair of rounds: its ratio to a new shop, in terms of what a new shop cost over the whole sweep. Of each stop
 * the pairs that were disturbed most, to either side, are left out.
 */
function costs(what: What, stops: readonly Stop[], of: keyof Cost): Point[] {
  const usual = median(stops.flatMap(({ rounds }) => rounds.map(({ fresh }) => fresh[of])));
  return stops.flatMap(({ rounds }) =>
    rounds
      .map((round): Point => ({ x: round[what], y: (round.grown[of] / round.fresh[of]) * usual }))
      .toSorted((a, b) => a.y - b.y)
      .slice(disturbed, -disturbed),
  );
}

/** The rows of the table, all figures, and the plot. */
export function growthReport(growth: Growth): { rows: Row[]; figures: Record<string, unknown>; svg: string } {
  const messages = sweepOf("messages", growth.messages);
  const products = sweepOf("products", growth.products);
  const slowest = Math.max(...growth.restartMs);
  const rows = [
    ...rowsOf("messages", messages),
    ...rowsOf("products", products),
    [
      `kill -9 with ${short(growth.messages.at(-1)!.messages)} messages stored → first batch`,
      growth.restartMs.map((ms) => `${ms} ms`).join(", "),
      `≤ ${restartMsMax / 1_000} s`,
      slowest <= restartMsMax,
    ] as const,
  ];
  const svg = plotted([
    { title: "Messages stored", points: messages.cpuMicros, line: messages.cost, memory: messages.rssMiB },
    { title: "Products", points: products.cpuMicros, line: products.cost, memory: products.rssMiB },
  ]);
  return { rows, figures: { summary: { messages, products, restartMs: growth.restartMs }, ...growth }, svg };
}

function rowsOf(what: What, { cpuMicros, rssMiB, cost, wall, memory }: Sweep): Row[] {
  const sizes = cpuMicros.map(({ x }) => x);
  const [first, last] = [Math.min(...sizes), Math.max(...sizes)];
  const at = (size: number): string => (cost.factor * size ** cost.slope).toFixed(1);
  const max = slopeMax[what];
  return [
    [
      `processor time a message, ${what} ${short(first)} → ${short(last)}: slope on log-log`,
      `${cost.slope.toFixed(3)} (${at(first)} → ${at(last)} µs)`,
      `≤ ${max}`,
      cost.slope <= max,
    ],
    ["  the same of the time on the clock", wall.slope.toFixed(3), "", undefined],
    [
      "  memory: slope on log-log",
      `${memory.slope.toFixed(3)} (${rssMiB[0]!.y} → ${rssMiB.at(-1)!.y} MiB)`,
      `≤ ${max}`,
      memory.slope <= max,
    ],
  ];
}

function median(list: readonly number[]): number {
  return list.toSorted((a, b) => a - b)[list.length >> 1]!;
}

const short = (count: number): string =>
  count.toLocaleString("en", { notation: "compact", maximumSignificantDigits: 2 });
