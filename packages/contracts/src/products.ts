import { command, event, type Frozen } from "@waybill/messaging";
import { type } from "arktype";
import { currency, sku, text, unitPrice } from "./fields.ts";
import { topics } from "./topics.ts";

const productPutSchema = type({
  "+": "reject",
  sku,
  title: text,
  /** Of one piece, in major units. */
  price: unitPrice,
  currency,
  /** Only active products can be ordered. */
  active: "boolean",
});

/** A product as it shall be from now on. */
export type ProductPut = Frozen<typeof productPutSchema.infer>;

const sample: ProductPut = {
  sku: "85123A",
  title: "White hanging heart",
  price: "2.55",
  currency: "GBP",
  active: true,
};

export const productPut = command<ProductPut>("product.put", {
  topic: topics.catalogueIn,
  schema: productPutSchema,
  subject: (body) => body.sku,
  samples: [sample],
});

const productChangedSchema = type({
  sku,
  title: text,
  price: unitPrice,
  currency,
  active: "boolean",
});

/** A product is new or has changed; the whole of it. */
export type ProductChanged = Frozen<typeof productChangedSchema.infer>;

export const productChanged = event<ProductChanged>("product.changed", {
  topic: topics.products,
  schema: productChangedSchema,
  subject: (body) => body.sku,
  samples: [sample],
});
