import { productChanged, say, type ProductPut, type Said } from "@waybill/contracts";
import type { Frozen } from "@waybill/messaging";

/** A product as it is now. */
export type Product = ProductPut;

/** Puts a product; undefined when it is so already. */
export function put(known: Frozen<Product> | undefined, wanted: Product): { product: Product; say: Said } | undefined {
  if (known !== undefined && sameProduct(known, wanted)) return undefined;
  return { product: wanted, say: say(productChanged, wanted) };
}

function sameProduct(a: Product, b: Product): boolean {
  return a.title === b.title && a.price === b.price && a.currency === b.currency && a.active === b.active;
}
