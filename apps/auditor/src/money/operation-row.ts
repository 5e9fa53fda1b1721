import type { GatewayFinding, GatewayOperation } from "./gateway-ledger.ts";

type Kind = GatewayOperation["kind"];
type Columns = readonly [
  number,
  number,
  string,
  Kind,
  GatewayOperation["result"],
  number,
  string,
  number,
  string | null,
];

/** Of an operation's key what an audit has to know: whether it was one that asked. */
export const auditKeySql = (key: string): string =>
  `case when ${key} >= 'audit-' and ${key} < 'audit.' then ${key} end`;

/** An operation from its columns: n, payment, reference, kind, result, amount, currency, time, an audit's key. */
export function operationOf(columns: Columns): GatewayOperation {
  const [n, payment, reference, kind, result, amount, currency, atMs, auditKey] = columns;
  return { n, payment, reference, kind, result, amount, currency, atMs, auditKey };
}

/** What to say of a key that stands for more than one operation. */
export function repeated({ key, count, atMs }: { key: string; count: number; atMs: number }): GatewayFinding {
  const what = `The gateway has done ${count} operations for one idempotency key.`;
  return { what, where: `key ${key}`, sinceMs: atMs };
}
