import type { Batch, Body, ParkedInput } from "@waybill/messaging";

/** What the bytes of a stored body are. */
export type BodyForm = "bytes" | "utf8" | "utf16le";

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
    ...storedBody(body),
  };
}

/** A body in base64, and what its bytes are: a text that UTF-8 cannot hold takes two bytes a unit. */
function storedBody(body: Body): { body: string; form: BodyForm } {
  if (typeof body !== "string") return { body: Buffer.from(body).toString("base64"), form: "bytes" };
  const form = body.isWellFormed() ? "utf8" : "utf16le";
  return { body: Buffer.from(body, form).toString("base64"), form };
}

/** The text as PostgreSQL can keep it, with a sign in the place of each NUL. */
export function readable<Text extends string | undefined>(text: Text): Text {
  return text?.replaceAll("\0", "\u2400").toWellFormed() as Text;
}
