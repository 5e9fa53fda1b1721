import { Client } from "pg";

/** The database of a shop that runs on brokers. */
export interface Database {
  /** postgres://user:password@host:5432/database */
  readonly url: string;
  readonly password?: string | undefined;
  /** The schema that holds its tables. Default "waybill". */
  readonly schema?: string | undefined;
}

const pageRows = 2_048;

/** One moment of a database: a transaction that only reads, and sees nothing of what is committed later. */
export class Snapshot implements AsyncDisposable {
  readonly #client: Client;
  #cursors = 0;

  private constructor(client: Client) {
    this.#client = client;
  }

  static async open(database: Database): Promise<Snapshot> {
    const client = await connected(database);
    await client.query("begin isolation level repeatable read read only");
    return new Snapshot(client);
  }

  /** All rows of a query that has few, each as an array of its columns. */
  async all<Columns extends readonly unknown[]>(text: string, values: readonly unknown[] = []): Promise<Columns[]> {
    const { rows } = await this.#client.query<Columns & unknown[]>({ text, values: [...values], rowMode: "array" });
    return rows;
  }

  /** Rows a page at a time; several queries may be open at once. */
  async *pages<Columns extends readonly unknown[], Row>(
    text: string,
    values: readonly unknown[],
    shape: (columns: Columns) => Row,
  ): AsyncGenerator<readonly Row[]> {
    const name = `audit_${++this.#cursors}`;
    await this.#client.query(`declare ${name} no scroll cursor for ${text}`, [...values]);
    try {
      for (;;) {
        const rows = await this.all<Columns>(`fetch forward ${pageRows} from ${name}`);
        if (rows.length === 0) return;
        yield rows.map(shape);
      }
    } finally {
      await this.#client.query(`close ${name}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end();
  }
}

async function connected({ url, password }: Database): Promise<Client> {
  const client = new Client({
    connectionString: url,
    application_name: "waybill audit",
    ...(password === undefined ? {} : { password }),
  });
  // A connection that breaks says so to the call under way.
  client.on("error", () => undefined);
  await client.connect();
  return client;
}
