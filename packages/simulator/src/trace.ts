/** A fingerprint of all that happened, in order: two runs that differ anywhere have different ones. */
export class Trace {
  #low = 0x811c9dc5;
  #high = 0x9747b28c;
  #events = 0;

  add(value: number): void {
    this.#events += 1;
    this.#low = Math.imul(this.#low ^ value, 0x01000193);
    this.#high = Math.imul(this.#high ^ (value + this.#events), 0x5bd1e995);
    this.#high ^= this.#high >>> 15;
  }

  addText(text: string): void {
    for (let at = 0; at < text.length; at++) this.add(text.charCodeAt(at));
  }

  get events(): number {
    return this.#events;
  }

  /** Sixteen hexadecimal digits. */
  get hash(): string {
    return [this.#high, this.#low].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
  }
}
