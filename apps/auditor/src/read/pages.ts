import type { DatabaseSync, SQLInputValue } from "node:sqlite";

const pageRows = 1_024;

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
