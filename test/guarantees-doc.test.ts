import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { guaranteesPage, withTables } from "../scripts/guarantees.ts";

const page = readFileSync(guaranteesPage, "utf8");

test("the tables of what an acknowledgement is worth are those of the doctor; scripts/guarantees.ts writes them", () => {
  expect(page).toBe(withTables(page));
  expect(page).toMatch(/^\| NATS: one replica, `sync_interval` by default \| kept \| LOST: up to 2 minutes /m);
});

test("a table that somebody changed is found", () => {
  const changed = page.replace("| kept | LOST: up to 2 minutes", "| kept | kept");
  expect(changed).not.toBe(page);
  expect(withTables(changed)).toBe(page);
});

test("a page without a place for the tables is an error", () => {
  expect(() => withTables("# Guarantees\n")).toThrow("no place for the tables");
});
