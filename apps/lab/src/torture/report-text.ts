import Table from "cli-table3";
import type { TortureReport } from "./run.ts";

const shownMax = 30;

/** A report for a terminal. */
export function reportText(report: TortureReport): string {
  const { engine, seed, seconds, orders, cancels, adjustments, recoveryMs, audits } = report;
  const injected = Object.values(report.faults).reduce((sum, count) => sum + count, 0);
  const faults = Object.entries(report.faults)
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, count]) => [name, String(count)]);
  const away = Object.entries(report.unavailable).map(([name, why]) => [name, `not available: ${why}`]);
  const wrong = [
    ...report.disagreements,
    ...report.breaches.map(({ law, where, what }) => `Law ${law}, ${where}: ${what}`),
  ];
  return [
    `${engine}, seed ${seed}: ${injected} faults in ${Math.round(seconds)} s, under load`,
    drawn([...faults, ...away]),
    `Acknowledged: ${orders} orders, ${cancels} cancels, ${adjustments} adjustments of stock.`,
    `Until an order placed after the fault was completed: p50 ${recoveryMs.p50} ms, max ${recoveryMs.max} ms of ${recoveryMs.count}.`,
    `Audits: ${audits}, of which ${audits - 1} while the shop was at work.`,
    ...(report.ok
      ? ["The books balance, and agree with everything that was acknowledged."]
      : [
          "THEY DO NOT AGREE:",
          ...wrong.slice(0, shownMax),
          ...(wrong.length > shownMax ? [`… ${wrong.length} in all`] : []),
        ]),
  ].join("\n");
}

function drawn(rows: readonly (readonly string[])[]): string {
  const table = new Table({
    head: ["fault", "times"],
    style: { head: [], border: [] },
    colWidths: [42, 60],
    wordWrap: true,
  });
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}
