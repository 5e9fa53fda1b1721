import type { Batch, ParkedInput } from "@waybill/messaging";

/**
 * The parts of a batch that few batches have, as JSON; null when it has none of them. A NUL in what is there for people to
 * read is replaced: a text of PostgreSQL cannot hold it, and what is parked must never be refused.
 */
export function seldomOf({ effects, parked }: Batch): string | null {
  const parts = {
    retried: effects.retried.map(({ partition, key, queue, seq, attempts, firstMs, dueMs, error }) => {
      return { partition, key, queue, seq, attempts, firstMs, dueMs, error: readable(error) };
    }),
    removed: parked.removed.map(({ partition, key, seq }) => ({ partition, key, seq })),
    added: parked.added.map(addedOf),
    released: parked.released.map(({ partition, key }) => ({ partition, key })),
    keys: parked.keys.map((row) => ({
      ...row,
      build: readable(row.build),
      fingerprint: readable(row.fingerprint),
      error: readable(row.error),
    })),
  };
  const some = Object.entries(parts).filter(([, rows]) => rows.length > 0);
  return some.length === 0 ? null : JSON.stringify(Object.fromEntries(some));
}

function addedOf(row: ParkedInput): object {
  const { partition, key, seq, kind, body } = row;
  return {
    partition,
    key,
    seq,
    kind,
    origin: readable(row.origin),
    id: readable(row.id),
    type: readable(row.type),
    headers: readable(row.headers),
    body: Buffer.from(body as string).toString("base64"),
    isText: typeof body === "string",
  };
}

/** The text as PostgreSQL can keep it, with a sign in the place of each NUL. */
export function readable<Text extends string | undefined>(text: Text): Text {
  return text?.replaceAll("\0", "\u2400").toWellFormed() as Text;
}
