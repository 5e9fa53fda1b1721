import type { DatabaseSync, SQLInputValue } from "node:sqlite";

const pageRows = 256;

/**
 * Rows of a query a page at a time; the statement stays open between pages. `shape` makes of a row's columns what is wanted:
 * that costs half of what SQLite's own objects do.
 */
export async function* pagesOf<Columns extends readonly unknown[], Row>(
  db: DatabaseSync,
  sql: string,
  values: readonly SQLInputValue[],
  shape: (columns: Columns) => Row,
): AsyncGenerator<readonly Row[]> {
  const statement = db.prepare(sql);
  statement.setReturnArrays(true);
  let page: Row[] = [];
  for (const row of statement.iterate(...values)) {
    page.push(shape(row as unknown as Columns));
    if (page.length < pageRows) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

/**
 * Rows of a query in the order of their ids, the first of their columns: each page a query of its own behind the last id before it, which
 * costs half of what a statement does that stays open. `sql` ends where `and id > ?` may follow.
 */
export async function* pagesById<Columns extends readonly [string, ...unknown[]], Row>(
  db: DatabaseSync,
  sql: string,
  values: readonly SQLInputValue[],
  from: string,
  shape: (columns: Columns) => Row,
): AsyncGenerator<readonly Row[]> {
  const first = db.prepare(`${sql} and id >= ? order by id limit ${pageRows}`);
  const further = db.prepare(`${sql} and id > ? order by id limit ${pageRows}`);
  for (const statement of [first, further]) statement.setReturnArrays(true);
  let rows = first.all(...values, from) as unknown as Columns[];
  while (rows.length > 0) {
    yield rows.map(shape);
    if (rows.length < pageRows) return;
    rows = further.all(...values, rows.at(-1)![0]) as unknown as Columns[];
  }
}
