import type { DatabaseSync } from "node:sqlite";
import type { Entry } from "./entries.ts";
import type { LedgerKind, Payment, PaymentChange } from "./payment.ts";

/** One line of the ledger, as stored. */
export interface Operation {
  /** Counts from 1 in each ledger. */
  readonly n: number;
  /** The caller's idempotency key; null for what the gateway did by itself. */
  readonly key: string | null;
  readonly payment: number;
  readonly kind: LedgerKind;
  readonly amount: number;
  readonly currency: string;
  readonly result: "approved" | "refused";
  /** Why it was refused. */
  readonly reason: string | null;
  readonly atMs: number;
}

/** The ledger's statements, prepared once. */
export interface Rows {
  payment(n: number): Payment | undefined;
  payments(reference: string): readonly Payment[];
  /** Authorisations whose time has passed, the oldest first. */
  expired(nowMs: number, limit: number): readonly Payment[];
  operation(key: string): Operation | undefined;
  /** Operations after number `after`, in order. */
  operations(after: number, limit: number): readonly (Operation & { readonly reference: string })[];
  addPayment(payment: Omit<Payment, "n">): Payment;
  changePayment(payment: Payment, change: PaymentChange): Payment;
  addOperation(operation: Omit<Operation, "n">, entries: readonly Entry[]): Operation;
}

const paymentColumns =
  "n, reference, token, currency, state, authorised, captured, refunded, created_at_ms AS createdAtMs, expires_at_ms AS expiresAtMs";
const operationColumns = "o.n, o.key, o.payment, o.kind, o.amount, o.currency, o.result, o.reason, o.at_ms AS atMs";

/** Typed access to the ledger's rows. All of it is synchronous; writes belong into a transaction. */
export function rowsOf(db: DatabaseSync): Rows {
  return { ...readers(db), ...writers(db) };
}

function readers(db: DatabaseSync): Pick<Rows, "payment" | "payments" | "expired" | "operation" | "operations"> {
  const payment = db.prepare(`SELECT ${paymentColumns} FROM payment WHERE n = ?`);
  const payments = db.prepare(`SELECT ${paymentColumns} FROM payment WHERE reference = ? ORDER BY n LIMIT 100`);
  const expired = db.prepare(
    `SELECT ${paymentColumns} FROM payment WHERE state = 'authorised' AND expires_at_ms <= ? ORDER BY expires_at_ms LIMIT ?`,
  );
  const operation = db.prepare(`SELECT ${operationColumns} FROM operation o WHERE key = ? ORDER BY n DESC LIMIT 1`);
  const operations = db.prepare(
    `SELECT ${operationColumns}, p.reference FROM operation o JOIN payment p ON p.n = o.payment WHERE o.n > ? ORDER BY o.n LIMIT ?`,
  );
  return {
    payment: (n) => payment.get(n) as Payment | undefined,
    payments: (reference) => payments.all(reference) as unknown as Payment[],
    expired: (nowMs, limit) => expired.all(nowMs, limit) as unknown as Payment[],
    operation: (key) => operation.get(key) as Operation | undefined,
    operations: (after, limit) => operations.all(after, limit) as unknown as (Operation & { reference: string })[],
  };
}

function writers(db: DatabaseSync): Pick<Rows, "addPayment" | "changePayment" | "addOperation"> {
  const insertPayment = db.prepare(
    "INSERT INTO payment (reference, token, currency, state, authorised, captured, refunded, created_at_ms, expires_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const updatePayment = db.prepare("UPDATE payment SET state = ?, captured = ?, refunded = ? WHERE n = ?");
  const insertOperation = db.prepare(
    "INSERT INTO operation (key, payment, kind, amount, currency, result, reason, at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const insertEntry = db.prepare("INSERT INTO entry (operation, account, currency, amount) VALUES (?, ?, ?, ?)");
  return {
    addPayment(p) {
      const { lastInsertRowid } = insertPayment.run(
        p.reference,
        p.token,
        p.currency,
        p.state,
        p.authorised,
        p.captured,
        p.refunded,
        p.createdAtMs,
        p.expiresAtMs,
      );
      return { ...p, n: Number(lastInsertRowid) };
    },
    changePayment(payment, change) {
      const changed = { ...payment, ...change };
      updatePayment.run(changed.state, changed.captured, changed.refunded, payment.n);
      return changed;
    },
    addOperation(o, entries) {
      const { lastInsertRowid } = insertOperation.run(
        o.key,
        o.payment,
        o.kind,
        o.amount,
        o.currency,
        o.result,
        o.reason,
        o.atMs,
      );
      for (const entry of entries) insertEntry.run(lastInsertRowid, entry.account, o.currency, entry.amount);
      return { ...o, n: Number(lastInsertRowid) };
    },
  };
}
