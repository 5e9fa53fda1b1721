/** PostgreSQL's numbers for the types of an array's elements. */
const typeIds = { text: 25, int: 23, bigint: 20, float8: 701, boolean: 16, bytea: 17 } as const;

export type ElementType = keyof typeof typeIds;

/** Dimensions, whether there are nulls, type, length, lower bound. */
const headBytes = 20;

/** What an array may hold on to between two uses. */
const keptBytesMax = 1_048_576;

/**
 * A one-dimensional array in the binary form of PostgreSQL's protocol. It is filled, taken, and filled again: what was
 * taken is overwritten then. Filling it makes no object, and the server reads it without parsing text.
 */
export class BinaryArray {
  readonly #typeId: number;
  #bytes = Buffer.allocUnsafe(256);
  #at = headBytes;
  #count = 0;
  #nulls = 0;

  constructor(type: ElementType) {
    this.#typeId = typeIds[type];
  }

  text(value: string | undefined): void {
    if (value === undefined) return this.#null();
    // No character takes more than three bytes for each of its units.
    this.#reserve(4 + value.length * 3);
    const length = this.#bytes.write(value, this.#at + 4);
    this.#bytes.writeInt32BE(length, this.#at);
    this.#at += 4 + length;
    this.#count += 1;
  }

  int(value: number): void {
    this.#element(4);
    this.#at = this.#bytes.writeInt32BE(value, this.#at);
  }

  bigint(value: number | undefined): void {
    if (value === undefined) return this.#null();
    this.#element(8);
    const high = Math.floor(value / 2 ** 32);
    this.#bytes.writeInt32BE(high, this.#at);
    this.#at = this.#bytes.writeUInt32BE(value - high * 2 ** 32, this.#at + 4);
  }

  float(value: number | undefined): void {
    if (value === undefined) return this.#null();
    this.#element(8);
    this.#at = this.#bytes.writeDoubleBE(value, this.#at);
  }

  boolean(value: boolean): void {
    this.#element(1);
    this.#at = this.#bytes.writeUInt8(value ? 1 : 0, this.#at);
  }

  bytes(value: Uint8Array): void {
    this.#element(value.byteLength);
    this.#bytes.set(value, this.#at);
    this.#at += value.byteLength;
  }

  /** The array, valid until it is filled again; null when it is empty. */
  take(): Buffer | null {
    const count = this.#count;
    if (count === 0) return null;
    const bytes = this.#bytes;
    for (const [index, word] of [1, this.#nulls > 0 ? 1 : 0, this.#typeId, count, 1].entries()) {
      bytes.writeInt32BE(word, index * 4);
    }
    const taken = bytes.subarray(0, this.#at);
    this.#at = headBytes;
    this.#count = 0;
    this.#nulls = 0;
    if (bytes.length > keptBytesMax) this.#bytes = Buffer.allocUnsafe(256);
    return taken;
  }

  #null(): void {
    this.#element(0);
    this.#bytes.writeInt32BE(-1, this.#at - 4);
    this.#nulls += 1;
  }

  /** Writes the length of the next element, and makes room for it. */
  #element(length: number): void {
    this.#reserve(4 + length);
    this.#at = this.#bytes.writeInt32BE(length, this.#at);
    this.#count += 1;
  }

  #reserve(length: number): void {
    const needed = this.#at + length;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}

/** An array of texts, as a value of a statement. */
export function texts(values: Iterable<string>): Buffer | null {
  const array = new BinaryArray("text");
  for (const value of values) array.text(value);
  return array.take();
}
