import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { messageOf, WaybillError } from "@waybill/messaging";

/** A connection that only reads. Each call is a transaction of its own and sees all waves that are durable by then. */
export class Connection {
  /** Called when a read shows that the file is damaged. */
  onDamaged: (text: string) => void = () => {};
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(path: string) {
    this.#path = path;
    this.#db = new DatabaseSync(path, { readOnly: true, timeout: 2_000 });
    this.#db.exec("pragma cache_size = -2048");
  }

  get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    try {
      return this.#prepared(sql).get(...values) as Row | undefined;
    } catch (error) {
      throw this.#unreadable(error);
    }
  }

  all<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    try {
      return this.#prepared(sql).all(...values) as Row[];
    } catch (error) {
      throw this.#unreadable(error);
    }
  }

  /** Row by row, for reads that end early. */
  *each<Row>(sql: string, ...values: SQLInputValue[]): Generator<Row, void, void> {
    try {
      for (const row of this.#prepared(sql).iterate(...values)) yield row as Row;
    } catch (error) {
      throw this.#unreadable(error);
    }
  }

  close(): void {
    this.#db.close();
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#db.prepare(sql)));
    return statement;
  }

  #unreadable(error: unknown): WaybillError {
    const text = messageOf(error);
    if (isDamage(error)) this.onDamaged(text);
    return new WaybillError("STORE_UNAVAILABLE", `${this.#path} cannot be read: ${text}.`, { cause: error });
  }
}

/** The primary result code of an error of SQLite (https://sqlite.org/rescode.html); 1, as for SQL, of any other. */
export function sqliteCode(error: unknown): number {
  const { errcode } = error as { errcode?: number };
  // The low byte is the primary code, the rest says more about it.
  return (errcode ?? 1) & 0xff;
}

/** CORRUPT or NOTADB: what the file holds is not what was written. */
export function isDamage(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === 11 || code === 26;
}
