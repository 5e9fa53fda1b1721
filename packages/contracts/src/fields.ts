// oxlint-disable no-control-regex -- control characters are what these expressions keep out
import { type } from "arktype";
import { amountMax, currencies } from "./money.ts";

// Every text is bounded by a regular expression and not by a predicate: arktype compiles the former, and a predicate
// makes the whole schema ten times slower. Two alternatives hold the limit in bytes: ASCII at one byte a character, or
// fewer characters of up to three bytes each. Characters beyond the basic plane are not taken in a key.

/** Names one thing for ever: an order, a customer, an adjustment. */
export const id = type(/^(?:[\x20-\x7e]{1,200}|[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,66})$/).describe(
  "1 to 200 bytes of text without control characters",
);

/** What a shop calls a thing that it sells. */
export const sku = type(/^(?:[\x20-\x7e]{1,100}|[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,33})$/).describe(
  "1 to 100 bytes of text without control characters",
);

/** A short text for people. */
export const text = type(/^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]{1,500}$/).describe(
  "1 to 500 characters without control characters",
);

export const email = type(/^[^\s@\x00-\x1f\x7f]{1,64}@[^\s@\x00-\x1f\x7f]{1,189}$/).describe(
  "an address such as ann@example.org",
);

export const token = type(/^[\x21-\x7e]{1,200}$/).describe("1 to 200 visible ASCII characters");

export const currency = type.enumerated(...currencies).describe("a currency code that the shop knows, such as GBP");

/** A price of one piece in major units, as text: "2.55", "0.001". */
export const unitPrice = type(/^(?:0|[1-9]\d{0,8})(?:\.\d{1,4})?$/).describe(
  'a decimal text below 1,000,000,000 with at most four decimals, such as "2.55"',
);

export const quantity = type("1 <= number.integer <= 1000000").describe("a whole number from 1 to 1,000,000");

/** Money in minor units of the currency that stands beside it. */
export const amount = type(`0 <= number.integer <= ${amountMax}`).describe("a whole number of minor units");

/** Pieces of a SKU. */
export const units = type("0 <= number.integer <= 1000000000000").describe("a whole number of pieces");

/** Milliseconds since 1970-01-01T00:00Z. */
export const timeMs = type("0 <= number.integer <= 8640000000000000").describe("milliseconds since 1970");

/** A country by name or code, as the customer's address has it. */
export const country = type(/^[^\x00-\x1f\x7f]{1,100}$/).describe("1 to 100 characters without control characters");

export const customer = type({ "+": "reject", id, email });

/** The most lines that one order may have. */
export const linesMax = 2_000;
