import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const schemaVersion = 1;

/**
 * Operations and entries are only ever added. `operation.key` is not unique: a gateway that forgets a key may do a
 * second operation for it, and the ledger has to be able to show that. Look-ups take the newest.
 */
const schema = `
CREATE TABLE ledger (id TEXT NOT NULL) STRICT;
CREATE TABLE payment (
  n INTEGER PRIMARY KEY,
  reference TEXT NOT NULL,
  token TEXT NOT NULL,
  currency TEXT NOT NULL,
  state TEXT NOT NULL,
  authorised INTEGER NOT NULL,
  captured INTEGER NOT NULL,
  refunded INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  CHECK (captured <= authorised AND refunded <= captured)
) STRICT;
CREATE INDEX payment_by_reference ON payment (reference);
CREATE INDEX payment_by_expiry ON payment (expires_at_ms) WHERE state = 'authorised';
CREATE TABLE operation (
  n INTEGER PRIMARY KEY,
  key TEXT,
  payment INTEGER NOT NULL REFERENCES payment (n),
  kind TEXT NOT NULL,
  amount INTEGER NOT NULL,
  currency TEXT NOT NULL,
  result TEXT NOT NULL,
  reason TEXT,
  at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX operation_by_key ON operation (key);
CREATE TABLE entry (
  operation INTEGER NOT NULL REFERENCES operation (n),
  account TEXT NOT NULL,
  currency TEXT NOT NULL,
  amount INTEGER NOT NULL,
  PRIMARY KEY (operation, account)
) STRICT, WITHOUT ROWID;
`;

/** Opens the ledger's file in the folder, making both if they are new. Throws when it was made by another version. */
export function openLedgerFile(folder: string): { db: DatabaseSync; ledgerId: string } {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "gateway.sqlite");
  const db = new DatabaseSync(path, { timeout: 5_000 });
  try {
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF;");
    createIfNew(db, path);
    const row = db.prepare("SELECT id FROM ledger").get() as { id: string };
    return { db, ledgerId: row.id };
  } catch (error) {
    db.close();
    throw error;
  }
}

function createIfNew(db: DatabaseSync, path: string): void {
  db.exec("BEGIN IMMEDIATE");
  const { user_version: found } = db.prepare("PRAGMA user_version").get() as {
    user_version: number;
  };
  if (found === 0) {
    db.exec(schema);
    // A ledger's own id stands in all ids that it gives, so that a payment of another ledger is never mistaken for one of its own.
    db.prepare("INSERT INTO ledger (id) VALUES (?)").run(randomBytes(4).toString("hex"));
    db.exec(`PRAGMA user_version = ${schemaVersion}`);
  } else if (found !== schemaVersion) {
    throw new Error(
      `The ledger ${path} has version ${found}, this gateway writes version ${schemaVersion}: move the file away or run the gateway that wrote it.`,
    );
  }
  db.exec("COMMIT");
}
