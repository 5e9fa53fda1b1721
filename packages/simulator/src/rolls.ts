import { dice } from "@waybill/memory";

/** Chance from a seed, in the shapes that a simulation needs. */
export interface Rolls {
  /** A number in [0, 1). */
  next(): number;
  /** True this often, from 0 to 1. */
  chance(odds: number): boolean;
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  pick<T>(of: readonly T[]): T;
}

/**
 * The numbers of one stream of a seed. Each part of a simulation has a stream of its own, so that what one part rolls
 * does not depend on how often another one did.
 */
export function rolls(seed: number, stream: string): Rolls {
  const next = dice(mixed(seed, stream));
  const between = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
  return {
    next,
    chance: (odds) => next() < odds,
    between,
    pick: (of) => of[between(0, of.length - 1)]!,
  };
}

/** FNV-1a over the stream's name, begun with the seed. */
function mixed(seed: number, stream: string): number {
  let hash = Math.imul(seed | 0, 0x9e3779b1) ^ 0x811c9dc5;
  for (let at = 0; at < stream.length; at++) hash = Math.imul(hash ^ stream.charCodeAt(at), 0x01000193);
  return hash;
}

/** A random id in the shape of a UUID. */
export function idOf(next: () => number): string {
  const part = (digits: number): string =>
    Math.floor(next() * 16 ** digits)
      .toString(16)
      .padStart(digits, "0");
  return `${part(8)}-${part(4)}-4${part(3)}-8${part(3)}-${part(6)}${part(6)}`;
}
