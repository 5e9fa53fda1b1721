import { expect, test } from "vitest";
import { limitTo } from "../src/http/page-limit.ts";

test.each([100, 200, 500, 1_000])("a page has from 1 to %i rows, and nothing else is a number of rows", (max) => {
  const limit = limitTo(max);
  for (let rows = 1; rows <= max; rows++) expect(limit.allows(String(rows))).toBe(true);
  const wrong = [
    "",
    "0",
    "00",
    "01",
    "-1",
    "+1",
    "1.0",
    "1e2",
    " 1",
    "1\n",
    "٣",
    "ten",
    String(max + 1),
    String(max * 10),
  ];
  for (const text of wrong) expect(limit.allows(text), text).toBe(false);
});
