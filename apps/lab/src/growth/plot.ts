import { scaleLinear, scaleLog, type ScaleContinuousNumeric } from "d3-scale";
import type { Line, Point } from "./line.ts";

/** One part of the plot: cost and memory over one size. */
export interface Panel {
  readonly title: string;
  /** Processor time a message in microseconds. */
  readonly points: readonly Point[];
  readonly line: Line;
  /** Resident memory in MiB. */
  readonly memory: readonly Point[];
}

const width = 420;
const height = 300;
const margin = { left: 52, right: 16, top: 40, bottom: 44 };
const inner = { right: width - margin.right, bottom: height - margin.bottom };

type Scale = ScaleContinuousNumeric<number, number>;

/** For light and for dark pages. */
const style = `<style>
    text { font: 11px ui-sans-serif, system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; }
    .heading { font-size: 13px; font-weight: 600; }
    .middle { text-anchor: middle; }
    .end { text-anchor: end; }
    .card { fill: #ffffff; stroke: #d0d7de; }
    .grid { stroke: #d8dee4; }
    .axis { fill: none; stroke: #57606a; }
    .dot { fill: #0969da; }
    .line { fill: none; stroke: #cf222e; stroke-dasharray: 5 3; }
    .memory { fill: none; stroke: #0969da; }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc; }
      .card { fill: #0d1117; stroke: #30363d; }
      .grid { stroke: #30363d; }
      .axis { stroke: #8b949e; }
      .dot { fill: #58a6ff; }
      .line { stroke: #ff7b72; }
      .memory { stroke: #58a6ff; }
    }
  </style>`;

/** The panels as one SVG: above what a message costs, below what memory it takes, each beside the next. */
export function plotted(panels: readonly Panel[]): string {
  const parts = panels.flatMap((panel, column) => [at(column, 0, costPanel(panel)), at(column, 1, memoryPanel(panel))]);
  const [wide, high] = [width * panels.length, height * 2];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${wide} ${high}" role="img" aria-labelledby="title desc">`,
    '<title id="title">What a growing shop costs</title>',
    `<desc id="desc">${panels.map(inWords).join(" ")}</desc>`,
    style,
    `<rect class="card" x="0.5" y="0.5" width="${wide - 1}" height="${high - 1}" rx="8"/>`,
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}

function inWords({ title, points, line, memory }: Panel): string {
  const sizes = points.map((point) => point.x);
  const [from, to] = [Math.min(...sizes), Math.max(...sizes)].map((size) => size.toLocaleString("en"));
  return `${title}, from ${from} to ${to}: the processor time of a message has a slope of ${line.slope.toFixed(3)} on log-log paper; memory goes from ${memory[0]!.y} to ${memory.at(-1)!.y} MiB.`;
}

const at = (column: number, row: number, text: string): string =>
  `<g transform="translate(${column * width},${row * height})">${text}</g>`;

function costPanel({ title, points, line }: Panel): string {
  const x = xScale(points);
  const ys = points.map(({ y }) => y);
  const y = scaleLog([Math.min(...ys) / 2, Math.max(...ys) * 2], [inner.bottom, margin.top]);
  const sizes = points.map((point) => point.x);
  const ends = [Math.min(...sizes), Math.max(...sizes)].map((end) => ({ x: end, y: line.factor * end ** line.slope }));
  return [
    heading(`${title}: processor time a message, slope ${line.slope.toFixed(3)}`),
    axes(x, y, title, "µs (log)"),
    path(ends, x, y, "line"),
    dots(points, x, y),
  ].join("\n");
}

function memoryPanel({ title, memory }: Panel): string {
  const x = xScale(memory);
  const y = scaleLinear([0, Math.max(...memory.map((point) => point.y)) * 1.2], [inner.bottom, margin.top]);
  return [
    heading(`${title}: resident memory`),
    axes(x, y, title, "MiB"),
    path(memory, x, y, "memory"),
    dots(memory, x, y),
  ].join("\n");
}

function xScale(points: readonly Point[]): Scale {
  const sizes = points.map((point) => point.x);
  return scaleLog([Math.min(...sizes) / 2, Math.max(...sizes) * 2], [margin.left, inner.right]);
}

const heading = (text: string): string => `<text class="heading" x="${margin.left}" y="22">${text}</text>`;

function axes(x: Scale, y: Scale, below: string, beside: string): string {
  const lines: string[] = [];
  for (const tick of powersIn(x)) {
    const px = round(x(tick));
    lines.push(`<line class="grid" x1="${px}" x2="${px}" y1="${margin.top}" y2="${inner.bottom}"/>`);
    lines.push(`<text class="middle" x="${px}" y="${inner.bottom + 15}">${tick.toLocaleString("en")}</text>`);
  }
  for (const tick of y.ticks(5)) {
    const py = round(y(tick));
    lines.push(`<line class="grid" x1="${margin.left}" x2="${inner.right}" y1="${py}" y2="${py}"/>`);
    lines.push(`<text class="end" x="${margin.left - 6}" y="${py + 4}">${tick.toLocaleString("en")}</text>`);
  }
  lines.push(
    `<path class="axis" d="M${margin.left} ${margin.top}V${inner.bottom}H${inner.right}"/>`,
    `<text class="middle" x="${(margin.left + inner.right) / 2}" y="${height - 12}">${below} (log)</text>`,
    `<text x="${margin.left - 40}" y="${margin.top - 8}">${beside}</text>`,
  );
  return lines.join("\n");
}

/** Of a logarithmic scale's ticks the powers of ten. */
function powersIn(scale: Scale): number[] {
  return scale.ticks().filter((tick) => Number.isInteger(Math.log10(tick)));
}

const path = (points: readonly Point[], x: Scale, y: Scale, name: string): string =>
  `<path class="${name}" d="M${points.map((point) => `${round(x(point.x))} ${round(y(point.y))}`).join("L")}"/>`;

const dots = (points: readonly Point[], x: Scale, y: Scale): string =>
  points.map((point) => `<circle class="dot" cx="${round(x(point.x))}" cy="${round(y(point.y))}" r="3"/>`).join("");

const round = (pixels: number): number => Math.round(pixels * 10) / 10;
