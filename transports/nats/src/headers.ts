import { writeAttributes, type Envelope } from "@waybill/messaging";

/** The first line of a header block. */
const version = "NATS/1.0\r\n";

/**
 * An envelope's attributes as the lines of a NATS header block: `ce-` and the name, values percent-encoded as the
 * binding of CloudEvents to NATS says. All of it is ASCII, so its length is its size in bytes.
 */
export function attributeLines(envelope: Envelope): string {
  let lines = "";
  writeAttributes(envelope, (name, value) => {
    lines += `ce-${name}: ${encoded(value)}\r\n`;
  });
  return lines;
}

/** A header block of these lines, as the client's `publish` takes it. */
export function headerBlock(lines: string): Buffer {
  return Buffer.from(`${version}${lines}\r\n`, "latin1");
}

/** The size of a header block with these lines. */
export function blockBytes(lines: string): number {
  return version.length + lines.length + 2;
}

/** Printable ASCII but for blank, quote and percent stays; the bytes of everything else become `%XX`. */
function encoded(value: string): string {
  for (let at = 0; at < value.length; at++) {
    if (!isPlain(value.charCodeAt(at))) return percentEncoded(value);
  }
  return value;
}

function isPlain(code: number): boolean {
  return code > 0x20 && code < 0x7f && code !== 0x22 && code !== 0x25;
}

function percentEncoded(value: string): string {
  let text = "";
  for (const byte of Buffer.from(value)) {
    text += isPlain(byte) ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return text;
}

/** What a value cannot be sliced out with as it is: an escape, or a byte of UTF-8. */
const special = /[%\x80-\xff]/;
const blank = 32;

/**
 * Looks an attribute up in a header block, by its name in CloudEvents. Whoever asks in the order in which they are written has
 * each found right behind the one before.
 */
export function attributesIn(block: string): (name: string) => string | undefined {
  // Names of headers are written as we write them, but for clients that capitalise.
  const text = block.includes("\r\nce-specversion:") ? block : lowerNames(block);
  const isSpecial = special.test(text);
  let behind = 0;
  return (name) => {
    const header = headerOf(name);
    let start = text.indexOf(header, behind);
    if (start < 0 && behind > 0) start = text.indexOf(header);
    if (start < 0) return undefined;
    const from = start + header.length;
    const found = text.indexOf("\r\n", from);
    const end = found < 0 ? text.length : found;
    behind = end;
    // One blank is what everybody writes behind the colon.
    const value = text.charCodeAt(from) === blank ? text.slice(from + 1, end) : text.slice(from, end);
    return isSpecial ? decoded(value.trim()) : value.trim();
  };
}

const headers = new Map<string, string>();

/** How a header begins; the names are few, so each text is made once. */
function headerOf(name: string): string {
  let header = headers.get(name);
  if (header === undefined) headers.set(name, (header = `\r\nce-${name}:`));
  return header;
}

function lowerNames(block: string): string {
  return block.replace(/\r\n[^:\r\n]+:/g, (name) => name.toLowerCase());
}

function decoded(value: string): string {
  const plain = value.includes("%") ? percentDecoded(value) : value;
  // A stranger who sends UTF-8 as it is: every character here is one byte of it.
  return isAscii(plain) ? plain : utf8(plain);
}

function percentDecoded(value: string): string {
  return value.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}

function utf8(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}
