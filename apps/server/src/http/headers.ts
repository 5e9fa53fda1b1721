import { Problem } from "./problem.ts";

/** The longest wait that a request may ask for, in seconds. */
export const waitSecondsMax = 30;

const waits = /(?:^|,)\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:;[^,]*)?(?=$|,)/i;

/** How many seconds `Prefer: wait=N` (RFC 7240) asks for, at most 30; undefined when it does not. */
export function waitOf(prefer: string | string[] | undefined): number | undefined {
  const text = Array.isArray(prefer) ? prefer.join(",") : (prefer ?? "");
  const seconds = waits.exec(text)?.[1];
  return seconds === undefined ? undefined : Math.min(Number(seconds), waitSecondsMax);
}

/** Says that a wait was taken into account. */
export function applied(waitSeconds: number | undefined): Record<string, string> {
  return waitSeconds === undefined ? {} : { "preference-applied": `wait=${waitSeconds}` };
}

/** The idempotency key of a request; undefined when it has none. */
export function keyOf(header: string | string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (typeof header === "string" && /^[\x20-\x7e]{1,255}$/.test(header)) return header;
  throw new Problem("fields-invalid", "The header Idempotency-Key is not valid.", {
    errors: [{ field: "Idempotency-Key", reason: "must be 1 to 255 visible ASCII characters, given once" }],
  });
}
