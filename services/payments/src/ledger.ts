/**
 * One thing that happened to the money of an order, as the gateway confirmed it. `expired`: an authorisation that the
 * gateway holds no longer.
 */
export interface LedgerEntry {
  readonly kind: "authorised" | "captured" | "voided" | "expired" | "refunded";
  readonly minor: number;
  readonly paymentId: string;
  /** The gateway's id of the operation. */
  readonly operationId: string;
  readonly atMs: number;
}

/** What the entries add up to, in minor units. */
export interface Sums {
  readonly authorised: number;
  readonly captured: number;
  /** Authorised once and held no longer. */
  readonly released: number;
  readonly refunded: number;
}

export function sums(ledger: readonly LedgerEntry[]): Sums {
  const of = (...kinds: readonly LedgerEntry["kind"][]) =>
    ledger.reduce((sum, { kind, minor }) => (kinds.includes(kind) ? sum + minor : sum), 0);
  return {
    authorised: of("authorised"),
    captured: of("captured"),
    released: of("voided", "expired"),
    refunded: of("refunded"),
  };
}

/** The ledger with one more entry. Throws when the books would no longer agree: nothing is taken or given back twice. */
export function booked(ledger: readonly LedgerEntry[], entry: LedgerEntry): readonly LedgerEntry[] {
  const after = [...ledger, entry];
  const { authorised, captured, released, refunded } = sums(after);
  if (captured + released > authorised) {
    throw new Error(`${captured} captured and ${released} released are more than the ${authorised} authorised.`);
  }
  if (refunded > captured) throw new Error(`${refunded} refunded is more than the ${captured} captured.`);
  return after;
}
