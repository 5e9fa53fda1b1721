import type { GatewayFinding, GatewayOperation } from "./gateway-ledger.ts";

type Kind = GatewayOperation["kind"];
type Columns = readonly [number, number, string, Kind, GatewayOperation["result"], number, string, number];

/** An operation from its columns: n, payment, reference, kind, result, amount, currency, time. */
export function operationOf([n, payment, reference, kind, result, amount, currency, atMs]: Columns): GatewayOperation {
  return { n, payment, reference, kind, result, amount, currency, atMs };
}

/** What to say of a key that stands for more than one operation. */
export function repeated({ key, count, atMs }: { key: string; count: number; atMs: number }): GatewayFinding {
  const what = `The gateway has done ${count} operations for one idempotency key.`;
  return { what, where: `key ${key}`, sinceMs: atMs };
}
