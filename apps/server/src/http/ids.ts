import { hash, randomBytes } from "node:crypto";

/** A UUID of version 7 (RFC 9562): its first 48 bits are the time, so that ids sort by when they were made. */
export function timedId(nowMs: number): string {
  return uuid(Math.floor(nowMs).toString(16).padStart(12, "0") + randomBytes(10).toString("hex"), "7");
}

/**
 * The id that an idempotency key stands for: a UUID of version 8 (RFC 9562) from the SHA-256 of `what`, a line feed, and
 * the key. The same key is the same id for ever, in every process. One who speaks for a customer only has ids of that
 * customer's own: the customer's id and a line feed stand before the key.
 */
export function keyedId(what: "order" | "adjustment", key: string, customer?: string): string {
  const whose = customer === undefined ? "" : `${customer}\n`;
  return uuid(hash("sha256", `${what}\n${whose}${key}`, "hex"), "8");
}

/** The first 128 bits of a hexadecimal text as a UUID, with version and variant where RFC 9562 puts them. */
function uuid(hex: string, version: string): string {
  const variant = "89ab"[Number.parseInt(hex.charAt(16), 16) & 3]!;
  const parts = [hex.slice(0, 8), hex.slice(8, 12), version + hex.slice(13, 16), variant + hex.slice(17, 20)];
  return [...parts, hex.slice(20, 32)].join("-");
}
