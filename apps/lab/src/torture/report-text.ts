import Table from "cli-table3";
import type { TortureReport } from "./run.ts";
import type { Life } from "./sizes.ts";

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
    `Acknowledged: ${orders} orders (${report.ordersPerSecond.toFixed(0)} a second under faults), ${cancels} cancels, ${adjustments} adjustments of stock.`,
    `Until an order placed after the fault was completed: p50 ${recoveryMs.p50} ms, max ${recoveryMs.max} ms of ${recoveryMs.count}.`,
    `Audits: ${audits}, of which ${audits - 1} while the shop was at work.`,
    `Left at the end: ${report.left.lagMessages} messages in lanes, ${report.left.parkedKeys} keys set aside.`,
    ...Object.entries(report.memory).map(([program, lives]) => memoryText(program, lives)),
    ...(report.ok
      ? ["The books balance, and agree with everything that was acknowledged."]
      : [
          "THEY DO NOT AGREE:",
          ...wrong.slice(0, shownMax),
          ...(wrong.length > shownMax ? [`… ${wrong.length} in all`] : []),
        ]),
  ].join("\n");
}

/** How the memory of the process that lived longest went, and the most that any took. */
function memoryText(program: string, lives: readonly Life[]): string {
  const [longest] = lives;
  if (longest === undefined) return `Memory of the ${program}: no process lived long enough to say.`;
  const { fromSeconds, toSeconds, firstMiB, lastMiB } = longest;
  const most = Math.max(...lives.map(({ mostMiB }) => mostMiB));
  return (
    `Memory of the ${program}: ${firstMiB} MiB in the first tenth and ${lastMiB} MiB in the last of its longest life ` +
    `(${toSeconds - fromSeconds} s), ${most} MiB at most, ${lives.length} lives.`
  );
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
