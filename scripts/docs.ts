// Writes those parts of the documents that come from the code: `npm run docs`. A test holds every page to what this would write.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { errorTables } from "./errors.ts";
import { guaranteeTables } from "./guarantees.ts";
import { settingsTable } from "./settings.ts";

/** A page of which a part is written here. */
export interface Generated {
  /** Its path from the repository's root. */
  readonly path: string;
  /** The comment that the part stands behind. */
  readonly begin: string;
  readonly write: () => string;
}

export const pages: readonly Generated[] = [
  {
    path: "docs/guarantees.md",
    begin: "<!-- Written by scripts/guarantees.ts from the words of `waybill doctor`: npm run docs -->",
    write: guaranteeTables,
  },
  {
    path: "docs/configuration.md",
    begin: "<!-- Written by scripts/settings.ts from the settings of the server: npm run docs -->",
    write: settingsTable,
  },
  { path: "docs/errors.md", begin: "<!-- Written by scripts/errors.ts: npm run docs -->", write: errorTables },
];

/** The comment that ends what is written here. */
const end = "<!-- Below is written by hand. -->";

/** A page with its part as it should be. Throws when it has no place for it. */
export function rewritten({ path, begin, write }: Generated, page: string): string {
  const from = page.indexOf(begin);
  const to = page.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`${path} has no place for what is written by scripts/docs.ts.`);
  return `${page.slice(0, from + begin.length)}\n\n${write()}\n\n${page.slice(to)}`;
}

/** Where a page is. */
export function fileOf({ path }: Generated): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}

if (import.meta.main) {
  for (const page of pages) writeFileSync(fileOf(page), rewritten(page, readFileSync(fileOf(page), "utf8")));
}
