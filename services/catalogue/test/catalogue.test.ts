import { productPut, type ProductPut } from "@waybill/contracts";
import { specification } from "@waybill/messaging/specification";
import { expect, test } from "vitest";
import { catalogue, product } from "../src/index.ts";

const mug: ProductPut = { sku: "mug", title: "A mug", price: "2.55", currency: "GBP", active: true };

test("given nothing, when a product is put, then it is kept and told", () => {
  const shop = specification(catalogue());
  expect(shop.when(productPut, mug).sent).toEqual([{ type: "product.changed", body: mug }]);
  expect(shop.state(product("mug"))).toEqual(mug);
});

test.each([
  ["title", { title: "A large mug" }],
  ["price", { price: "2.75" }],
  ["currency", { currency: "EUR" }],
  ["activity", { active: false }],
] as const)("given a product, when its %s changes, then the whole of it is told", (_, change) => {
  const shop = specification(catalogue());
  shop.given(product("mug"), mug);
  expect(shop.when(productPut, { ...mug, ...change }).sent).toEqual([
    { type: "product.changed", body: { ...mug, ...change } },
  ]);
  expect(shop.state(product("mug"))).toEqual({ ...mug, ...change });
});

test("given a product, when it is put as it is, then nothing is told", () => {
  const shop = specification(catalogue());
  shop.given(product("mug"), mug);
  expect(shop.when(productPut, mug).sent).toEqual([]);
});
