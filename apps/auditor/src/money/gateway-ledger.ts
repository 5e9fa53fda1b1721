import type { IdRange } from "../books.ts";

/** One operation of the payment gateway, as its ledger has it. */
export interface GatewayOperation {
  /** Counts from 1 in each ledger. */
  readonly n: number;
  /** The number of its payment, which counts likewise. */
  readonly payment: number;
  readonly reference: string;
  readonly kind: "authorise" | "capture" | "void" | "refund" | "expire";
  readonly result: "approved" | "refused";
  readonly amount: number;
  readonly currency: string;
  readonly atMs: number;
  /** Its idempotency key when an audit has asked for it, to give back what nobody knew of; else null. */
  readonly auditKey: string | null;
}

/** Keys that stand for more than one operation, or rules of the gateway's own books that do not hold. */
export interface GatewayFinding {
  readonly what: string;
  readonly where: string;
  readonly sinceMs: number | undefined;
}

/** The gateway's ledger at one moment, taken before the shop's books: what it holds, the shop has at least asked for. */
export interface GatewayLedger extends AsyncDisposable {
  /** The number of its last operation. */
  readonly lastN: number;
  /** Stands in every id of this ledger: operations are `op_<id>_<n>`, payments `pay_<id>_<payment>`. */
  readonly id: string;
  /** The operations of references in a range, these rising by their code points, then in the order in which they happened. */
  operations(range?: IdRange): AsyncIterable<readonly GatewayOperation[]>;
  /** Idempotency keys under which more than one operation was done. */
  repeatedKeys(): Promise<readonly GatewayFinding[]>;
  /** Where the gateway's debits and credits, or its payments and their operations, do not agree. */
  imbalances(): Promise<readonly GatewayFinding[]>;
}
