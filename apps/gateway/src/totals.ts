import type { DatabaseSync } from "node:sqlite";
import { accounts, type Account } from "./entries.ts";
import type { LedgerKind } from "./payment.ts";

export interface AccountTotal {
  readonly account: Account;
  readonly currency: string;
  /** Sums of minor units; the balance is debit minus credit. */
  readonly debit: number;
  readonly credit: number;
  readonly balance: number;
}

export interface OperationTotal {
  readonly kind: LedgerKind;
  readonly result: "approved" | "refused";
  readonly currency: string;
  readonly count: number;
  readonly amount: number;
}

export interface Totals {
  /** How many operations the ledger holds: the number of the last one. */
  readonly operations: number;
  readonly byKind: readonly OperationTotal[];
  readonly accounts: readonly AccountTotal[];
  /** Whether debits equal credits in every currency. */
  readonly balanced: boolean;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A function that sums up the ledger. Nothing is ever changed in it, so each call reads only what came since the last. */
export function totalsOf(db: DatabaseSync): () => Totals {
  const last = db.prepare("SELECT coalesce(max(n), 0) AS n FROM operation");
  const sumOperations = db.prepare(
    "SELECT kind, result, currency, count(*) AS count, sum(amount) AS amount FROM operation WHERE n > ? AND n <= ? GROUP BY kind, result, currency",
  );
  const sumEntries = db.prepare(
    "SELECT account, currency, sum(max(amount, 0)) AS debit, sum(max(-amount, 0)) AS credit FROM entry WHERE operation > ? AND operation <= ? GROUP BY account, currency",
  );
  const byKind = new Map<string, Mutable<OperationTotal>>();
  const byAccount = new Map<string, Mutable<AccountTotal>>();
  let seen = 0;

  return () => {
    const { n } = last.get() as { n: number };
    for (const row of sumOperations.all(seen, n) as unknown as OperationTotal[]) addOperations(byKind, row);
    for (const row of sumEntries.all(seen, n) as unknown as AccountTotal[]) addEntries(byAccount, row);
    seen = n;
    return snapshot(n, byKind, byAccount);
  };
}

function addOperations(into: Map<string, Mutable<OperationTotal>>, row: OperationTotal): void {
  const name = `${row.kind} ${row.result} ${row.currency}`;
  const total = into.get(name);
  if (total === undefined) return void into.set(name, { ...row });
  total.count += row.count;
  total.amount += row.amount;
}

function addEntries(into: Map<string, Mutable<AccountTotal>>, row: Omit<AccountTotal, "balance">): void {
  const name = `${row.account} ${row.currency}`;
  const total = into.get(name) ?? {
    account: row.account,
    currency: row.currency,
    debit: 0,
    credit: 0,
    balance: 0,
  };
  total.debit += row.debit;
  total.credit += row.credit;
  total.balance = total.debit - total.credit;
  into.set(name, total);
}

function snapshot(
  operations: number,
  byKind: ReadonlyMap<string, OperationTotal>,
  byAccount: ReadonlyMap<string, AccountTotal>,
): Totals {
  const sums = new Map<string, number>();
  for (const { currency, balance } of byAccount.values()) sums.set(currency, (sums.get(currency) ?? 0) + balance);
  return {
    operations,
    byKind: Array.from(byKind.values(), (total) => ({ ...total })),
    accounts: Array.from(byAccount.values(), (total) => ({ ...total })).sort(
      (a, b) => a.currency.localeCompare(b.currency) || accounts.indexOf(a.account) - accounts.indexOf(b.account),
    ),
    balanced: [...sums.values()].every((sum) => sum === 0),
  };
}
