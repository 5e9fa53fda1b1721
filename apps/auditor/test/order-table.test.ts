import { expect, test } from "vitest";
import { OrderTable } from "../src/log/order-table.ts";

const idsOf = (count: number) => Array.from({ length: count }, (_, n) => `order-${n}`);

test("keeps two words for each of many ids apart", () => {
  const ids = idsOf(50_000);
  const table = new OrderTable(ids.length);
  ids.forEach((id, n) => {
    const place = table.place(id);
    table.tell(place, n);
    table.await(place, n * 2);
  });
  expect(ids.every((id, n) => table.told(table.find(id)) === n && table.waiting(table.find(id)) === n * 2)).toBe(true);
  expect(table.find("another")).toBe(-1);
  expect(table.told(-1)).toBe(0);
});

test("gives each id to one of several passes", () => {
  const ids = idsOf(3_000);
  const tables = [0, 1, 2].map((pass) => new OrderTable(ids.length, { pass, passes: 3 }));
  for (const id of ids) expect(tables.filter((table) => table.place(id) >= 0)).toHaveLength(1);
  for (const table of tables) {
    const own = ids.filter((id) => table.concerns(id)).length;
    expect(own).toBeGreaterThan(800);
    expect([...table.fingerprints(() => true)]).toHaveLength(own);
  }
});

test("says so when there is far more than it was made for", () => {
  const table = new OrderTable(1);
  expect(() => idsOf(5_000).forEach((id) => table.place(id))).toThrow("many more orders");
});
