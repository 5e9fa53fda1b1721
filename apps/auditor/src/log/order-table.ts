/** How full the table may be: beyond it, looking up takes longer and longer. */
const fillMax = 0.7;
const wordsPerSlot = 4;

export interface TableOptions {
  readonly pass?: number;
  readonly passes?: number;
  readonly cutMs?: number;
  readonly hasLists?: boolean;
}

function bytesFor(orders: number): number {
  const slots = 2 ** Math.ceil(Math.log2(Math.max(1_024, orders * 1.3) / fillMax));
  return slots * wordsPerSlot * 4;
}

/**
 * Two words of facts for each order id, at 16 bytes an order whatever the ids look like: an open hash table by a
 * fingerprint of 64 bits. Two of a million ids share a fingerprint once in about forty million audits.
 */
export class OrderTable {
  /** What it is kept in, so that another thread can look into it. */
  readonly shared: SharedArrayBuffer;
  readonly #words: Uint32Array;
  readonly #mask: number;
  readonly #capacity: number;
  /** Of the passes over the same orders, the one that this table is for. */
  readonly #pass: number;
  readonly #passes: number;
  /** Up to here retention may have let messages go, in milliseconds: of an order that began earlier the log cannot tell. */
  readonly cutMs: number;
  /** Whether the shop keeps lists of its orders. */
  readonly hasLists: boolean;
  #used = 0;
  #low = 0;
  #high = 0;

  /** For about so many orders, or with what another thread has filled; `pass` of `passes`: only the ids whose turn it is. */
  constructor(
    orders: number | SharedArrayBuffer,
    { pass = 0, passes = 1, cutMs = -Infinity, hasLists = false }: TableOptions = {},
  ) {
    this.shared = typeof orders === "number" ? new SharedArrayBuffer(bytesFor(orders / passes)) : orders;
    this.#words = new Uint32Array(this.shared);
    const slots = this.#words.length / wordsPerSlot;
    this.#mask = slots - 1;
    this.#capacity = Math.floor(slots * 0.9);
    this.#pass = pass;
    this.#passes = passes;
    this.cutMs = cutMs;
    this.hasLists = hasLists;
  }

  /** The place of an order's facts, made if need be; -1 when it is another pass' turn. The id may be a part of a text. */
  place(id: string, from = 0, to = id.length): number {
    this.#fingerprint(id, from, to);
    return this.#high % this.#passes === this.#pass ? this.#find(true) : -1;
  }

  /** The place of an order's facts; -1 when nothing is known of it. */
  find(id: string): number {
    this.#fingerprint(id);
    return this.#high % this.#passes === this.#pass ? this.#find(false) : -1;
  }

  /** Whether an id is this pass' concern. */
  concerns(id: string): boolean {
    this.#fingerprint(id);
    return this.#high % this.#passes === this.#pass;
  }

  /** What the log tells of the order. */
  told(place: number): number {
    return place < 0 ? 0 : this.#words[place + 2]!;
  }

  tell(place: number, told: number): void {
    this.#words[place + 2] = told;
  }

  /** What is on its way for the order. */
  waiting(place: number): number {
    return place < 0 ? 0 : this.#words[place + 3]!;
  }

  await(place: number, waiting: number): void {
    this.#words[place + 3]! |= waiting;
  }

  /** The fingerprints, as one text each, of the orders whose facts fit. */
  *fingerprints(fits: (told: number, waiting: number) => boolean): Generator<string> {
    for (let place = 0; place < this.#words.length; place += wordsPerSlot) {
      if (this.#words[place] === 0 && this.#words[place + 1] === 0) continue;
      if (fits(this.told(place), this.waiting(place))) yield `${this.#words[place]}/${this.#words[place + 1]}`;
    }
  }

  fingerprintOf(id: string): string {
    this.#fingerprint(id);
    return `${this.#low}/${this.#high}`;
  }

  #find(make: boolean): number {
    const words = this.#words;
    for (let slot = this.#low & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const at = slot * wordsPerSlot;
      if (words[at] === this.#low && words[at + 1] === this.#high) return at;
      if (words[at] !== 0 || words[at + 1] !== 0) continue;
      if (!make) return -1;
      if (++this.#used > this.#capacity) throw new Error("The log names many more orders than there are states of.");
      words[at] = this.#low;
      words[at + 1] = this.#high;
      return at;
    }
  }

  /** Two hashes of 32 bits that differ in seed and multiplier, each well mixed at the end. */
  #fingerprint(id: string, from = 0, to = id.length): void {
    let low = 0x9e3779b9;
    let high = 0x85ebca6b;
    for (let at = from; at < to; at++) {
      const code = id.charCodeAt(at);
      low = Math.imul(low ^ code, 0x01000193);
      high = Math.imul(high ^ code, 0x5bd1e995);
      high ^= high >>> 15;
    }
    this.#low = mixed(low) || 1;
    this.#high = mixed(high);
  }
}

function mixed(hash: number): number {
  let out = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  out = Math.imul(out ^ (out >>> 15), 0x846ca68b);
  return (out ^ (out >>> 16)) >>> 0;
}
