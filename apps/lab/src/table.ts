import Table from "cli-table3";

/** What was measured, the figure, what is to be reached, and whether it is. */
export type Row = readonly [what: string, figure: string, bound: string, reached: boolean | undefined];

/** The rows as a table for a terminal. */
export function table(rows: readonly Row[]): string {
  const drawn = new Table({ head: ["what", "measured", "to reach", ""], style: { head: [], border: [] } });
  for (const [what, figure, bound, reached] of rows) {
    drawn.push([what, figure, bound, reached === undefined ? "" : reached ? "reached" : "MISSED"]);
  }
  return drawn.toString();
}

export function rate(perSecond: number): string {
  return `${Math.round(perSecond).toLocaleString("en")}/s`;
}

export function ms({ p50, p99 }: { readonly p50: number; readonly p99: number }): string {
  return `${p50.toFixed(2)} / ${p99.toFixed(2)} ms`;
}
