import { ReplayError } from "./errors.ts";

/**
 * Money of the replay's own book-keeping. It is written apart from the shop's arithmetic on purpose: a report that
 * checks the shop with the shop's own multiplication would agree with any mistake in it.
 *
 * "Exact" amounts are bigints in ten-thousandths of the currency's major unit (four decimals, as many as a price may
 * have); "minor" amounts are integers in hundredths.
 */
const pricePattern = /^(-?)(0|[1-9]\d{0,8})(?:\.(\d{1,4}))?$/;
const exactPerMinor = 100n;

/** True for a plain decimal below a thousand million with at most four decimals, as the shop takes it. */
export function isPrice(text: string): boolean {
  return pricePattern.test(text);
}

/** A decimal text such as `2.1` as an exact amount. Throws FILE_INVALID for anything else. */
export function exactPrice(text: string): bigint {
  const match = pricePattern.exec(text);
  if (match === null) throw new ReplayError("FILE_INVALID", `"${text}" is not a price with at most four decimals.`);
  const size = BigInt(match[2] + (match[3] ?? "").padEnd(4, "0"));
  return match[1] === "-" ? -size : size;
}

/** quantity × price, exact. */
export function exactAmount(quantity: number, unitPrice: string): bigint {
  return BigInt(quantity) * exactPrice(unitPrice);
}

/** Rounds an exact amount to whole minor units; a half goes to the even neighbour. */
export function roundHalfEven(exact: bigint): number {
  const size = exact < 0n ? -exact : exact;
  const whole = size / exactPerMinor;
  const twice = (size % exactPerMinor) * 2n;
  const up = twice > exactPerMinor || (twice === exactPerMinor && whole % 2n === 1n);
  const minor = Number(up ? whole + 1n : whole);
  if (!Number.isSafeInteger(minor))
    throw new ReplayError("FILE_INVALID", `An amount of ${minor} pence is out of range.`);
  return exact < 0n ? -minor : minor;
}

/** An exact amount without what whole minor units already say. Positive when rounding lost something. */
export function lostByRounding(exact: bigint, minor: number): bigint {
  return exact - BigInt(minor) * exactPerMinor;
}

/** An exact amount as a decimal text without needless zeros: `0.004`, `-1.5`, `0`. */
export function exactText(exact: bigint): string {
  const digits = (exact < 0n ? -exact : exact).toString().padStart(5, "0");
  const decimals = digits.slice(-4).replace(/0+$/, "");
  return `${exact < 0n ? "-" : ""}${digits.slice(0, -4)}${decimals === "" ? "" : `.${decimals}`}`;
}

/** Minor units as a decimal text with two decimals: `823746.14`. */
export function minorText(minor: number): string {
  const digits = Math.abs(minor).toString().padStart(3, "0");
  return `${minor < 0 ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
