import { type } from "arktype";

/** How many rows a page has when a request does not say. */
export const limitDefault = 50;

/**
 * How many rows a page shall have, as it stands in a query: a whole number from 1 to `max`.
 * @param max a digit and zeros behind it, such as 200: what a pattern says simply.
 */
export function limitTo(max: number) {
  const [first = "1", ...zeros] = String(max);
  const fewer = `[1-9]\\d{0,${zeros.length - 1}}`;
  const asMany = first === "1" ? "" : `[1-${Number(first) - 1}]\\d{${zeros.length}}|`;
  return type(new RegExp(`^(?:${fewer}|${asMany}${max})$`)).describe(`a whole number from 1 to ${max}`);
}
