import { lineThrough, type Line, type Point } from "../growth/line.ts";
import { plotted } from "../growth/plot.ts";
import type { Row } from "../table.ts";
import type { Broker, Grown, Round, Stop } from "./sweep.ts";

const slopeMax = 0.05;
/** How many of a stop's rounds do not count, at either end. */
const disturbed = 2;

const names = { nats: "NATS", kafka: "Kafka" } as const;

/** The rows of the table and the plot of what a message costs while a shop on a broker grows. */
export function reportOf(engine: Broker, grown: Grown): { rows: Row[]; svg: string } {
  const messages = pointsOf(grown.messages, (_stop, round) => round.messages);
  const products = pointsOf(grown.products, (stop) => stop.products);
  const [byMessages, byProducts] = [lineThrough(messages), lineThrough(products)];
  const memory = (stops: readonly Stop[], of: "messages" | "products") =>
    stops.map((stop): Point => ({ x: stop[of], y: stop.rssMiB }));
  const svg = plotted([
    { title: "Messages stored", points: messages, line: byMessages, memory: memory(grown.messages, "messages") },
    { title: "Products", points: products, line: byProducts, memory: memory(grown.products, "products") },
  ]);
  const what = `processor time a message on ${names[engine]} and PostgreSQL`;
  return { rows: [rowOf(`${what}, messages`, messages, byMessages), rowOf(`  products`, products, byProducts)], svg };
}

/** The rounds of each stop that were disturbed least. */
function pointsOf(stops: readonly Stop[], size: (stop: Stop, round: Round) => number): Point[] {
  return stops.flatMap((stop) =>
    stop.rounds
      .map((round): Point => ({ x: size(stop, round), y: round.cpuMicrosPerMessage }))
      .toSorted((a, b) => a.y - b.y)
      .slice(disturbed, -disturbed),
  );
}

function rowOf(what: string, points: readonly Point[], { slope, factor }: Line): Row {
  const sizes = points.map(({ x }) => x);
  const [first, last] = [Math.min(...sizes), Math.max(...sizes)];
  const at = (size: number): string => (factor * size ** slope).toFixed(0);
  const told = `${slope.toFixed(3)} (${at(first)} → ${at(last)} µs)`;
  return [`${what} ${short(first)} → ${short(last)}: slope on log-log`, told, `≤ ${slopeMax}`, slope <= slopeMax];
}

const short = (count: number): string =>
  count.toLocaleString("en", { notation: "compact", maximumSignificantDigits: 2 });
