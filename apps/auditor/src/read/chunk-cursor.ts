import type { LogMessage, PartOfText } from "../books.ts";

const quote = 34;
const comma = 44;
const bracket = 91;
const backslash = 92;
const letterN = 110;

/** A text within the chunk, with its quotes: where it begins, and one past its end. */
interface Span {
  from: number;
  to: number;
}

const empty = (): Span => ({ from: 0, to: 0 });

/** The few texts that come again and again, each kept once: looking one up makes no new string, and compares as quickly as one may. */
class FewTexts {
  readonly #kept = Array<string>(64).fill("");

  /** A text that stands between two quotes; undefined when it is not written as it is, but with escapes. */
  of(text: string, from: number, to: number): string | undefined {
    const length = to - from - 2;
    const slot = (length + 5 * text.charCodeAt(from + 7) + 3 * text.charCodeAt(from + 10)) & 63;
    const kept = this.#kept[slot]!;
    if (kept.length === length && text.startsWith(kept, from + 1)) return kept;
    const inner = text.slice(from + 1, to - 1);
    if (length < 1 || inner.includes("\\")) return undefined;
    // A part of a text would keep all of it.
    return (this.#kept[slot] = JSON.parse(`"${inner}"`) as string);
  }
}

/**
 * Goes through the messages of a chunk of the embedded log without parsing their bodies, which are most of it. It knows
 * the form that JSON.stringify gives an array of flat records: no spaces, the body last.
 */
export class ChunkCursor implements LogMessage {
  topic = "";
  partition = 0;
  offset = -1;
  atMs = 0;
  n = 0;
  prev = 0;
  malformed = false;
  #text = "";
  #at = 0;
  #lastSource = "";
  readonly #types = new FewTexts();
  readonly #subjectPart = { text: "", from: 0, to: 0 };
  #hasKey = false;
  #hasSource = false;
  readonly #id = empty();
  readonly #type = empty();
  readonly #subject = empty();
  readonly #key = empty();
  readonly #source = empty();
  readonly #body = empty();
  readonly #skipped = empty();

  get id(): string {
    return this.#taken(this.#id);
  }

  get type(): string {
    return this.#types.of(this.#text, this.#type.from, this.#type.to) ?? this.#taken(this.#type);
  }

  get subject(): string {
    return this.#taken(this.#subject);
  }

  get subjectAt(): PartOfText {
    const { from, to } = this.#subject;
    const part = this.#subjectPart;
    const escapeAt = this.#text.indexOf("\\", from);
    const isPlain = to > from && (escapeAt < 0 || escapeAt >= to);
    part.text = isPlain ? this.#text : this.subject;
    part.from = isPlain ? from + 1 : 0;
    part.to = isPlain ? to - 1 : part.text.length;
    return part;
  }

  get key(): string {
    return this.#taken(this.#hasKey ? this.#key : this.#subject);
  }

  get source(): string | undefined {
    if (!this.#hasSource) return undefined;
    const { from, to } = this.#source;
    // Most messages have the source of the one before them.
    const isSame = to - from - 2 === this.#lastSource.length && this.#text.startsWith(this.#lastSource, from + 1);
    return isSame ? this.#lastSource : (this.#lastSource = this.#taken(this.#source));
  }

  body(): string {
    const { from, to } = this.#body;
    return this.#text.charCodeAt(from) === bracket ? "" : (JSON.parse(this.#text.slice(from, to)) as string);
  }

  /** Begins with a chunk whose first message has this offset. */
  open(topic: string, firstOffset: number, text: string): void {
    this.topic = topic;
    this.offset = firstOffset - 1;
    this.#text = text;
    this.#at = 1;
  }

  /** Moves to the next message; false behind the last. Throws when the chunk is not what was written. */
  next(): boolean {
    if (this.#text.charCodeAt(this.#at) !== bracket) return false;
    this.#at += 1;
    this.offset += 1;
    this.partition = this.#number();
    this.malformed = this.#text.charCodeAt(this.#at) === bracket;
    if (this.malformed) this.#noAttributes();
    else this.#attributes();
    this.#skipBody();
    return true;
  }

  #noAttributes(): void {
    for (const span of [this.#id, this.#type, this.#subject]) span.to = span.from;
    this.#hasKey = false;
    this.#hasSource = false;
  }

  #attributes(): void {
    this.#string(this.#id);
    this.#string(this.#type);
    this.#number();
    this.#string(this.#subject);
    this.#hasKey = this.#string(this.#key);
    this.#string(this.#skipped);
    this.atMs = this.#number();
    this.#string(this.#skipped);
    this.#string(this.#skipped);
    this.#string(this.#skipped);
    this.#hasSource = this.#string(this.#source);
    this.n = this.#number();
    this.prev = this.#number();
  }

  /** A number and the comma behind it; 0 for null. */
  #number(): number {
    const text = this.#text;
    let at = this.#at;
    let value = 0;
    for (let code = text.charCodeAt(at); code !== comma; code = text.charCodeAt(++at)) {
      if (code >= 48 && code <= 57) value = value * 10 + code - 48;
      else if (code === letterN) at += 3;
      else return this.#oddNumber();
    }
    this.#at = at + 1;
    return value;
  }

  /** A number with a sign, a point or an exponent. */
  #oddNumber(): number {
    const end = this.#text.indexOf(",", this.#at);
    const value = Number(this.#text.slice(this.#at, end));
    if (end < 0 || Number.isNaN(value)) throw this.#broken();
    this.#at = end + 1;
    return value;
  }

  /** A text and the comma behind it; false for null. */
  #string(span: Span): boolean {
    const text = this.#text;
    const from = this.#at;
    if (text.charCodeAt(from) !== quote) {
      if (text.charCodeAt(from) !== letterN) throw this.#broken();
      this.#at = from + 5;
      return false;
    }
    const to = this.#closing(from + 1);
    span.from = from;
    span.to = to + 1;
    this.#at = to + 2;
    return true;
  }

  /** Where the quote is that ends a text. */
  #closing(from: number): number {
    const text = this.#text;
    let at = text.indexOf('"', from);
    while (at >= 0 && this.#isEscaped(at)) at = text.indexOf('"', at + 1);
    if (at < 0) throw this.#broken();
    return at;
  }

  /** Whether a quote is part of its text: an odd number of backslashes stands before it. */
  #isEscaped(at: number): boolean {
    let before = at - 1;
    if (this.#text.charCodeAt(before) !== backslash) return false;
    while (this.#text.charCodeAt(before) === backslash) before -= 1;
    return (at - before) % 2 === 0;
  }

  #skipBody(): void {
    const text = this.#text;
    const from = this.#at;
    const at = this.#bodyEnd(from);
    // Bytes are an array of one text.
    const end = text.charCodeAt(from) === bracket ? at + 1 : at;
    this.#body.from = from;
    this.#body.to = end;
    this.#at = end + 1;
    if (text.charCodeAt(this.#at) === comma) this.#at += 1;
  }

  /** Where the bracket is that closes behind the body's last quote: texts hold many quotes, and few brackets. */
  #bodyEnd(from: number): number {
    const text = this.#text;
    for (let at = text.indexOf("]", from + 2); at >= 0; at = text.indexOf("]", at + 1)) {
      if (text.charCodeAt(at - 1) === quote && !this.#isEscaped(at - 1)) return at;
    }
    throw this.#broken();
  }

  #taken({ from, to }: Span): string {
    if (to === from) return "";
    const inner = this.#text.slice(from + 1, to - 1);
    return inner.includes("\\") ? (JSON.parse(`"${inner}"`) as string) : inner;
  }

  #broken(): Error {
    return new Error(`the record at character ${this.#at} of its chunk is not what was written`);
  }
}
