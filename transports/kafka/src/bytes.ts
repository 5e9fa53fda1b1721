/** Reads Kafka's primitive types from a buffer, one after the other (https://kafka.apache.org/protocol#protocol_types). */
export class ByteReader {
  buffer: Buffer;
  at: number;

  constructor(buffer: Buffer, at = 0) {
    this.buffer = buffer;
    this.at = at;
  }

  int8(): number {
    return this.buffer.readInt8(this.at++);
  }

  int16(): number {
    this.at += 2;
    return this.buffer.readInt16BE(this.at - 2);
  }

  int32(): number {
    this.at += 4;
    return this.buffer.readInt32BE(this.at - 4);
  }

  /** Offsets and times stay far below 2^53. */
  int64(): number {
    this.at += 8;
    return this.buffer.readInt32BE(this.at - 8) * 0x1_0000_0000 + this.buffer.readUInt32BE(this.at - 4);
  }

  bigint64(): bigint {
    this.at += 8;
    return this.buffer.readBigInt64BE(this.at - 8);
  }

  /** A length or count, of at most 32 bits. */
  unsignedVarint(): number {
    const { buffer } = this;
    let value = buffer[this.at++]!;
    if (value < 0x80) return value;
    value &= 0x7f;
    for (let shift = 7; ; shift += 7) {
      const byte = buffer[this.at++]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
      if (shift > 28) throw new RangeError("A number is longer than 32 bits.");
    }
  }

  varint(): number {
    const value = this.unsignedVarint();
    return (value >>> 1) ^ -(value & 1);
  }

  /** Of at most 53 bits. */
  varlong(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.buffer[this.at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
      if (scale > 2 ** 63) throw new RangeError("A number is longer than 64 bits.");
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  uuid(): string {
    this.at += 16;
    return this.buffer.toString("hex", this.at - 16, this.at);
  }

  /** Passes over fields that this program does not know. */
  skipTags(): void {
    for (let count = this.unsignedVarint(); count > 0; count--) {
      this.unsignedVarint();
      this.at += this.unsignedVarint();
    }
  }
}

/** Writes records, one after the other, to a buffer that grows and is used again. */
export class ByteWriter {
  buffer: Buffer;
  at = 0;

  constructor(size: number) {
    this.buffer = Buffer.allocUnsafeSlow(size);
  }

  /** Makes sure that so many bytes can be written. */
  room(bytes: number): void {
    const needed = this.at + bytes;
    if (needed <= this.buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.buffer.length * 2));
    this.buffer.copy(larger, 0, 0, this.at);
    this.buffer = larger;
  }

  byte(value: number): void {
    this.buffer[this.at++] = value;
  }

  int64(value: number): void {
    const high = Math.floor(value / 0x1_0000_0000);
    this.buffer.writeInt32BE(high, this.at);
    this.buffer.writeUInt32BE(value - high * 0x1_0000_0000, this.at + 4);
    this.at += 8;
  }

  int32(value: number): void {
    this.at = this.buffer.writeInt32BE(value, this.at);
  }

  int16(value: number): void {
    this.at = this.buffer.writeInt16BE(value, this.at);
  }

  /** A signed number of at most 31 bits. */
  varint(value: number): void {
    this.#unsigned(((value << 1) ^ (value >> 31)) >>> 0);
  }

  #unsigned(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.buffer[this.at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.buffer[this.at++] = rest;
  }

  /** A signed number of at most 53 bits. */
  varlong(value: number): void {
    let rest = value < 0 ? -value * 2 - 1 : value * 2;
    while (rest > 0x7f) {
      this.buffer[this.at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.buffer[this.at++] = rest;
  }

  raw(bytes: Uint8Array): void {
    this.buffer.set(bytes, this.at);
    this.at += bytes.length;
  }

  /** Bytes behind their length. */
  sized(bytes: Uint8Array): void {
    this.room(bytes.length + 5);
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /** A text in UTF-8 behind its length in bytes. */
  text(value: string): void {
    this.room(value.length * 3 + 5);
    if (value.length <= 63 && this.#ascii(value)) return;
    const guess = varintBytes(value.length);
    const written = this.buffer.write(value, this.at + guess, "utf8");
    if (varintBytes(written) === guess) {
      this.varint(written);
      this.at += written;
      return;
    }
    this.varint(written);
    this.at += this.buffer.write(value, this.at, "utf8");
  }

  /** Short texts without a call out of JavaScript; false when it is not ASCII. */
  #ascii(value: string): boolean {
    const { buffer } = this;
    const from = this.at + 1;
    for (let at = 0; at < value.length; at++) {
      const char = value.charCodeAt(at);
      if (char > 0x7f) return false;
      buffer[from + at] = char;
    }
    buffer[this.at] = value.length * 2;
    this.at = from + value.length;
    return true;
  }
}

/** How many bytes a length takes as a signed varint. */
export function varintBytes(length: number): number {
  if (length < 64) return 1;
  if (length < 8_192) return 2;
  if (length < 1_048_576) return 3;
  return length < 134_217_728 ? 4 : 5;
}
