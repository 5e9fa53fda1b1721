import { schemaOf, type DatabaseOptions } from "./options.ts";
import { latestLayout, layoutOf, withClient } from "./migrations.ts";
import { factsOf, unsafeSettings, type ServerFacts } from "./server.ts";

/** What somebody wants to know who checks a database. */
export interface Inspection extends ServerFacts {
  readonly schema: string;
  /** The layout that is there, 0: none, and the one that this build makes. */
  readonly layout: number;
  readonly layoutNeeded: number;
  /** There is a pooler, such as PgBouncer, between. */
  readonly pooled: boolean;
  /** Settings with which acknowledged commits may be lost, each with its consequence. */
  readonly unsafe: readonly string[];
}

/** Looks at a database and changes nothing. Throws STORE_UNAVAILABLE when it cannot be reached. */
export async function inspect(options: DatabaseOptions): Promise<Inspection> {
  const schema = schemaOf(options);
  return await withClient(options, async (client) => {
    const ask = async <Row>(text: string): Promise<Row[]> => (await client.query(text)).rows as Row[];
    const facts = await factsOf(ask);
    const { layout } = await layoutOf(ask, schema);
    const [process] = await ask<{ id: number }>("select pg_backend_pid() as id");
    const pooled = process!.id !== (client as unknown as { processID: number }).processID;
    return { ...facts, schema, layout, layoutNeeded: latestLayout, pooled, unsafe: unsafeSettings(facts) };
  });
}
