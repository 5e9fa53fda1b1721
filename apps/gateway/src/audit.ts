import type { DatabaseSync } from "node:sqlite";

/** Something in the books that does not add up. */
export interface Finding {
  readonly rule: string;
  /** The operation's or payment's number, or the currency. */
  readonly where: string | number;
  readonly difference: number;
}

/** Each rule selects what breaks it: where, and by how much. */
const rules: Readonly<Record<string, string>> = {
  "The debits of an operation equal its credits.":
    "SELECT operation AS at, sum(amount) AS difference FROM entry GROUP BY operation HAVING sum(amount) <> 0",
  "A refused operation moves nothing.":
    "SELECT e.operation AS at, e.amount AS difference FROM entry e JOIN operation o ON o.n = e.operation WHERE o.result = 'refused'",
  "What is held is what open authorisations say.": `
    SELECT currency AS at, sum(amount) AS difference FROM (
      SELECT currency, amount FROM entry WHERE account = 'holds'
      UNION ALL SELECT currency, -authorised FROM payment WHERE state = 'authorised')
    GROUP BY currency HAVING sum(amount) <> 0`,
  "What the merchant has is what was captured less what was refunded.": `
    SELECT currency AS at, sum(amount) AS difference FROM (
      SELECT currency, amount FROM entry WHERE account = 'merchant'
      UNION ALL SELECT currency, refunded - captured FROM payment)
    GROUP BY currency HAVING sum(amount) <> 0`,
  "A payment says what its operations say.": `
    SELECT p.n AS at, p.captured - p.refunded - coalesce(sum(CASE o.kind WHEN 'capture' THEN o.amount ELSE -o.amount END), 0) AS difference
    FROM payment p LEFT JOIN operation_of_money o ON o.payment = p.n GROUP BY p.n HAVING difference <> 0`,
};

/** Checks the whole ledger against its rules, at most 100 findings for each. Reads everything: not for every second. */
export function auditOf(db: DatabaseSync): readonly Finding[] {
  const findings: Finding[] = [];
  for (const [rule, sql] of Object.entries(rules)) {
    const broken = db.prepare(`${captures} ${sql} LIMIT 100`).all() as unknown as {
      at: string | number;
      difference: number;
    }[];
    for (const { at, difference } of broken) findings.push({ rule, where: at, difference });
  }
  return findings;
}

const captures =
  "WITH operation_of_money AS (SELECT payment, kind, amount FROM operation WHERE result = 'approved' AND kind IN ('capture', 'refund'))";
