import { fieldsInvalid } from "./problem.ts";

/** A place in a list as text for the query of the next page. */
export function cursorOf(place: string): string {
  return Buffer.from(place).toString("base64url");
}

/** The place that a cursor stands for. Throws a problem for one that no page gave: some databases take no such text. */
export function placeIn(cursor: string): string {
  const place = Buffer.from(cursor, "base64url").toString();
  // oxlint-disable-next-line no-control-regex -- control characters are what is kept out
  if (!/[\x00-\x1f\x7f\ufffd]/.test(place)) return place;
  throw fieldsInvalid([{ field: "cursor", reason: "must be what the page before gave as its `next`" }]);
}
