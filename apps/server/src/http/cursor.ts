/** A place in a list as text for the query of the next page. */
export function cursorOf(place: string): string {
  return Buffer.from(place).toString("base64url");
}

/** The place that a cursor stands for; one that no page gave stands for some place. Without NUL, which PostgreSQL takes in no text. */
export function placeIn(cursor: string): string {
  return Buffer.from(cursor, "base64url").toString().replaceAll("\0", "");
}
