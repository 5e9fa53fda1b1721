import type { AuditReport } from "./audit.ts";
import { fixText, type SentFix } from "./fixes.ts";
import type { LawResult } from "./findings.ts";
import type { Breach } from "./laws.ts";

/** Draws rows under a head; columns of `right` stand at the right. */
export type Draw = (
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: ReadonlySet<number>,
) => string;

const head = ["law", "", "checked", "breaches", "under way"];
const numbers = new Set([0, 2, 3, 4]);
const shownPerLaw = 20;

/** What an audit found, for a terminal. */
export function reportText(report: AuditReport, seconds: number, draw: Draw): string {
  const rows = report.laws.map(({ law, name, checked, breaches, underWay, notChecked }) => [
    String(law),
    notChecked === undefined ? name : `${name}: NOT CHECKED, ${notChecked}`,
    count(checked),
    count(breaches),
    count(underWay),
  ]);
  const said = report.laws.flatMap((law) => lawText(law, report.breaches));
  return [draw(head, rows, numbers), "", ...said, verdict(report, seconds)].join("\n");
}

function lawText({ law, name, breaches }: LawResult, all: readonly Breach[]): string[] {
  if (breaches === 0) return [];
  const own = all.filter((breach) => breach.law === law).slice(0, shownPerLaw);
  const more = breaches - own.length;
  return [
    `Law ${law} is broken: ${name}.`,
    ...own.flatMap(breachText),
    ...(more > 0 ? [`  … and ${count(more)} more`] : []),
    "",
  ];
}

function breachText({ where, what, sinceMs, remedy, fix }: Breach): string[] {
  const since = sinceMs === undefined ? "" : `, since ${new Date(sinceMs).toISOString()}`;
  return [
    `  ${where}${since}`,
    `    ${what}`,
    `    What to do: ${remedy}`,
    ...(fix === undefined ? [] : [`    --fix sends: ${fixText(fix)}`]),
  ];
}

function verdict({ balanced, orders, laws }: AuditReport, seconds: number): string {
  const checked = `${count(orders)} orders in ${seconds.toFixed(1)} s`;
  const open = laws.filter(({ notChecked }) => notChecked !== undefined).map(({ law }) => law);
  if (!balanced) return `The books do not balance (${checked}).`;
  return open.length === 0
    ? `The books balance (${checked}).`
    : `What could be checked balances; laws ${open.join(" and ")} could not be checked (${checked}).`;
}

/** What was sent, or would be. */
export function fixesText(sent: readonly SentFix[], wasAsked: boolean): string {
  if (sent.length === 0) return "No message of the shop would put any of it right by itself.";
  const lines = sent.map(({ where, fix, sent: isSent, answer }) => {
    const state = wasAsked ? (isSent ? "sent" : "NOT SENT") : "would send";
    return `  ${state}: ${fixText(fix)}\n    for ${where}${answer === "" ? "" : `: ${answer}`}`;
  });
  const end = wasAsked ? "Audit again when they have been handled." : "Nothing was sent. To send these, add --yes.";
  return [...lines, end].join("\n");
}

function count(value: number): string {
  return value.toLocaleString("en-GB");
}
