import type { DatabaseSync, SQLInputValue } from "node:sqlite";

const pageRows = 1_024;

/** Rows of a query a page at a time; the statement stays open between pages. */
export async function* pagesOf<Row>(
  db: DatabaseSync,
  sql: string,
  values: readonly SQLInputValue[],
): AsyncGenerator<readonly Row[]> {
  let page: Row[] = [];
  for (const row of db.prepare(sql).iterate(...values)) {
    page.push(row as Row);
    if (page.length < pageRows) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
