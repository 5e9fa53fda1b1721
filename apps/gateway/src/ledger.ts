import { setTimeout as wait } from "node:timers/promises";
import { auditOf, type Finding } from "./audit.ts";
import { entriesOf } from "./entries.ts";
import { groupCommit } from "./group-commit.ts";
import { decide, hasExpired, type OperationKind, type Payment } from "./payment.ts";
import { rowsOf, type Operation, type Rows } from "./rows.ts";
import { openLedgerFile } from "./tables.ts";
import { behaviourOf, testTokens } from "./tokens.ts";
import { totalsOf, type Totals } from "./totals.ts";

/** What an idempotency key stands for: a repeat with the key has to ask for the very same. */
export type OperationRequest =
  | {
      readonly kind: "authorise";
      readonly key: string;
      readonly reference: string;
      readonly token: string;
      readonly amount: number;
      readonly currency: string;
    }
  | {
      readonly kind: Exclude<OperationKind, "authorise">;
      readonly key: string;
      readonly payment: number;
      /** Undefined for a void, which is always of the whole. */
      readonly amount: number | undefined;
      readonly currency: string | undefined;
    };

export type Performed =
  | { readonly operation: Operation; readonly repeated: boolean }
  /** The key was used before, for something else. */
  | { readonly keyUsedFor: Operation };

export interface LedgerOptions {
  readonly folder: string;
  readonly authorisationTtlMs: number;
  readonly now: () => number;
  /** Keys older than this count as unknown; null never. */
  readonly forgetKeysAfterMs: () => number | null;
}

export interface Ledger extends Disposable {
  /** Stands in every id of this ledger. */
  readonly id: string;
  /** Does the operation, or finds it done, and resolves when it is on the disk. Its payment must exist. */
  perform(request: OperationRequest): Promise<Performed>;
  find(key: string): Operation | undefined;
  payment(n: number): Payment | undefined;
  payments(reference: string): readonly Payment[];
  operations: Rows["operations"];
  totals(): Totals;
  /** Recomputes everything from the entries; nothing found means that the books are right. */
  audit(): readonly Finding[];
}

const expiryPauseMs = 1_000;
const expiriesAtOnce = 256;

/** Opens the ledger in its folder. One thread, one writer; operations that arrive together are committed together. */
export function openLedger(options: LedgerOptions): Ledger {
  const { db, ledgerId } = openLedgerFile(options.folder);
  const rows = rowsOf(db);
  const group = groupCommit(db, { group: 512, queue: 8_192 });
  const closing = new AbortController();
  const perform = performer(rows, options);
  const totals = totalsOf(db);
  void expireNowAndThen();

  async function expireNowAndThen(): Promise<void> {
    while (await wait(expiryPauseMs, true, { signal: closing.signal, ref: false }).catch(() => false)) {
      const nowMs = options.now();
      const due = rows.expired(nowMs, expiriesAtOnce);
      // A full disk must not end the sweep: the next round tries again, and every operation checks the time itself.
      if (due.length > 0)
        await group.run(() => due.forEach(({ n }) => perform.expireIfDue(n, nowMs))).catch(() => undefined);
    }
  }

  return {
    id: ledgerId,
    perform: (request) => group.run(() => perform.once(request)),
    find: (key) => perform.remembered(key),
    payment: (n) => rows.payment(n),
    payments: (reference) => rows.payments(reference),
    operations: (after, limit) => rows.operations(after, limit),
    totals,
    audit: () => auditOf(db),
    [Symbol.dispose]() {
      closing.abort();
      group.flush();
      db.close();
    },
  };
}

/** The steps of one operation, run inside a transaction. */
function performer(rows: Rows, options: LedgerOptions) {
  function remembered(key: string): Operation | undefined {
    const found = rows.operation(key);
    const limitMs = options.forgetKeysAfterMs();
    if (found === undefined || limitMs === null) return found;
    return options.now() - found.atMs > limitMs ? undefined : found;
  }

  function once(request: OperationRequest): Performed {
    const found = remembered(request.key);
    if (found === undefined) return { operation: doIt(request), repeated: false };
    return isSame(request, found, rows) ? { operation: found, repeated: true } : { keyUsedFor: found };
  }

  function doIt(request: OperationRequest): Operation {
    const atMs = options.now();
    return request.kind === "authorise" ? authorise(request, atMs) : follow(request, atMs);
  }

  function authorise(request: OperationRequest & { kind: "authorise" }, atMs: number): Operation {
    const { key, kind, amount, currency, reference, token } = request;
    const reason = behaviourOf(token, kind).refuse ?? null;
    const lifeMs = testTokens[token]?.expired === true ? 0 : options.authorisationTtlMs;
    const payment = rows.addPayment({
      reference,
      token,
      currency,
      state: reason === null ? "authorised" : "declined",
      authorised: amount,
      captured: 0,
      refunded: 0,
      createdAtMs: atMs,
      expiresAtMs: atMs + lifeMs,
    });
    const result = reason === null ? "approved" : "refused";
    const entries = reason === null ? entriesOf(kind, amount, payment) : [];
    return rows.addOperation({ key, payment: payment.n, kind, amount, currency, result, reason, atMs }, entries);
  }

  function follow(request: Exclude<OperationRequest, { kind: "authorise" }>, atMs: number): Operation {
    const { key, kind } = request;
    const payment = expireIfDue(request.payment, atMs);
    const amount = request.amount ?? payment.authorised;
    const currency = request.currency ?? payment.currency;
    const refusal = behaviourOf(payment.token, kind).refuse;
    const decided = decide(payment, { kind, amount, currency });
    const decision =
      decided.result === "approved" && refusal !== undefined
        ? { result: "refused" as const, reason: refusal }
        : decided;
    const common = { key, payment: payment.n, kind, amount, currency, atMs };
    if (decision.result === "refused") return rows.addOperation({ ...common, ...decision }, []);
    rows.changePayment(payment, decision.change);
    return rows.addOperation({ ...common, result: "approved", reason: null }, entriesOf(kind, amount, payment));
  }

  /** The payment; its authorisation is ended first, with an operation of the gateway's own, if its time has passed. */
  function expireIfDue(n: number, atMs: number): Payment {
    const payment = rows.payment(n);
    if (payment === undefined) throw new Error(`Payment ${n} is not in the ledger.`);
    if (!hasExpired(payment, atMs)) return payment;
    const { authorised: amount, currency } = payment;
    const kind = "expire";
    rows.addOperation(
      { key: null, payment: n, kind, amount, currency, result: "approved", reason: null, atMs },
      entriesOf(kind, amount, payment),
    );
    return rows.changePayment(payment, { state: "expired" });
  }

  return { once, remembered, expireIfDue };
}

function isSame(request: OperationRequest, found: Operation, rows: Rows): boolean {
  if (request.kind !== found.kind) return false;
  if (request.amount !== undefined && request.amount !== found.amount) return false;
  if (request.currency !== undefined && request.currency !== found.currency) return false;
  if (request.kind !== "authorise") return request.payment === found.payment;
  const payment = rows.payment(found.payment);
  return payment?.reference === request.reference && payment.token === request.token;
}
