/** Decimals of the minor unit, by ISO 4217. */
const minorDigits = {
  AED: 2,
  AUD: 2,
  BGN: 2,
  BHD: 3,
  BRL: 2,
  CAD: 2,
  CHF: 2,
  CLP: 0,
  CNY: 2,
  COP: 2,
  CZK: 2,
  DKK: 2,
  EUR: 2,
  GBP: 2,
  HKD: 2,
  HUF: 2,
  IDR: 2,
  ILS: 2,
  INR: 2,
  ISK: 0,
  JOD: 3,
  JPY: 0,
  KRW: 0,
  KWD: 3,
  MXN: 2,
  MYR: 2,
  NOK: 2,
  NZD: 2,
  OMR: 3,
  PHP: 2,
  PLN: 2,
  RON: 2,
  RSD: 2,
  SAR: 2,
  SEK: 2,
  SGD: 2,
  THB: 2,
  TND: 3,
  TRY: 2,
  TWD: 2,
  UAH: 2,
  USD: 2,
  VND: 0,
  ZAR: 2,
} as const;

export type Currency = keyof typeof minorDigits;

export const currencies = Object.keys(minorDigits) as [Currency, ...Currency[]];

/** The largest amount of one order, in minor units. */
export const amountMax = 999_999_999_999;

/** The decimals that a unit price may have. */
const priceDigits = 4;

/**
 * What `quantity` pieces cost at `unitPrice` (a decimal text such as "2.55"), in minor units of the currency: multiplied
 * exactly, then rounded once, half to even. The result is exact up to 2^53; what is above `amountMax` must be refused.
 */
export function lineAmount(unitPrice: string, quantity: number, currency: Currency): number {
  const exact = priceUnits(unitPrice) * BigInt(quantity);
  return Number(dividedHalfEven(exact, 10n ** BigInt(priceDigits - minorDigits[currency])));
}

/** A price in units of a ten-thousandth. */
function priceUnits(unitPrice: string): bigint {
  const point = unitPrice.indexOf(".");
  if (point < 0) return BigInt(unitPrice) * 10_000n;
  return BigInt(unitPrice.slice(0, point) + unitPrice.slice(point + 1).padEnd(priceDigits, "0"));
}

function dividedHalfEven(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const twice = (dividend % divisor) * 2n;
  const up = twice > divisor || (twice === divisor && quotient % 2n === 1n);
  return up ? quotient + 1n : quotient;
}

/** An amount for people: `amountText(1230, "GBP")` is "12.30 GBP". */
export function amountText(minor: number, currency: Currency): string {
  const digits = minorDigits[currency];
  if (digits === 0) return `${minor} ${currency}`;
  const padded = String(minor).padStart(digits + 1, "0");
  return `${padded.slice(0, -digits)}.${padded.slice(-digits)} ${currency}`;
}
