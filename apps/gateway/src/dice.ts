/**
 * Chance that depends on nothing but its names: the same seed, key, attempt and purpose roll the same number, in
 * whatever order requests arrive. So a run with faults can be repeated although its calls race each other.
 */
export type Dice = (purpose: string, key: string, attempt: number) => number;

/** Dice from a seed; each roll is in [0, 1). */
export function seededDice(seed: number): Dice {
  return (purpose, key, attempt) => {
    let hash = mixed(Math.imul(seed | 0, 0x9e3779b1) ^ attempt);
    for (const text of [purpose, key]) {
      for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
      hash = mixed(hash);
    }
    return (hash >>> 0) / 2 ** 32;
  };
}

/** The finishing steps of MurmurHash3, which spread every input bit over the whole word. */
function mixed(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
