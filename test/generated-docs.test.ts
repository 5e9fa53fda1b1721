import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { fileOf, pages, rewritten } from "../scripts/docs.ts";

const textOf = (page: (typeof pages)[number]) => readFileSync(fileOf(page), "utf8");

test.each(pages)("what the code says stands in $path; `npm run docs` writes it", (page) => {
  expect(textOf(page)).toBe(rewritten(page, textOf(page)));
});

test.each([
  ["docs/guarantees.md", "| kept | LOST: up to 2 minutes", "| kept | kept"],
  ["docs/configuration.md", "| `engine` | `WAYBILL_ENGINE` | embedded |", "| `engine` | `WAYBILL_ENGINE` | kafka |"],
  ["docs/errors.md", "| `COMMIT_UNKNOWN` ↻ |", "| `COMMIT_UNKNOWN` |"],
])("a table of %s that somebody changed is found", (path, of, into) => {
  const page = pages.find((one) => one.path === path)!;
  const changed = textOf(page).replace(of, into);
  expect(changed).not.toBe(textOf(page));
  expect(rewritten(page, changed)).toBe(textOf(page));
});

test("a page without a place for its tables is an error", () => {
  expect(() => rewritten(pages[0]!, "# Guarantees\n")).toThrow("docs/guarantees.md has no place");
});
