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
