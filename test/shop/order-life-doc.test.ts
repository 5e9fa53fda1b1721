import { transitions as shipments } from "@waybill/fulfilment";
import { transitions as reservations } from "@waybill/inventory";
import { transitions as orders } from "@waybill/orders";
import { transitions as payments } from "@waybill/payments";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const page = readFileSync(new URL("../../docs/order-life.md", import.meta.url), "utf8");
const rows = page
  .split("\n")
  .filter((line) => line.startsWith("| "))
  .map((line) =>
    line
      .split("|")
      .map((cell) => cell.trim())
      .slice(1, -1),
  );

const followers = (cell: string) => (cell === "–" ? [] : cell.split(", ").toSorted());
const sorted = (table: Readonly<Record<string, readonly string[]>>) =>
  Object.fromEntries(Object.entries(table).map(([status, next]) => [status, next.toSorted()]));

test("the page's table of orders is the code's", () => {
  const table = rows.filter(([status = ""]) => status in orders).map(([status, next]) => [status, followers(next!)]);
  expect(Object.fromEntries(table)).toEqual(sorted(orders));
});

test("the page's picture of orders is the code's", () => {
  const arrows = [...page.matchAll(/^ {2}(\w+) --> (\w+)/gm)].map(([, from, to]) => `${from} ${to}`);
  const expected = Object.entries(orders).flatMap(([from, next]) => next.map((to) => `${from} ${to}`));
  expect(arrows.toSorted()).toEqual(expected.toSorted());
});

test.each([
  ["reservation", reservations],
  ["payment", payments],
  ["shipment", shipments],
])("the page's table of each %s is the code's", (what, transitions) => {
  const table = rows.filter(([kind]) => kind === what).map(([, status, next]) => [status, followers(next!)]);
  expect(Object.fromEntries(table)).toEqual(sorted(transitions));
});
