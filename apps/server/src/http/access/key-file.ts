import { type } from "arktype";
import { hash, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** What a key lets its bearer do: a shop front buys and looks after orders, an operator does everything. */
export type Role = "shop" | "operator";

/** A key as it is kept: everything but the key. */
export interface KeyEntry {
  /** Names the key in lists and logs; it is part of the key and no secret. */
  readonly id: string;
  readonly role: Role;
  /** The one customer whose orders it may see and place; without it, those of all. */
  readonly customer?: string;
  /** How many requests a minute it may make. */
  readonly ratePerMinute?: number;
  readonly note?: string;
  readonly createdAt: string;
  /** SHA-256 of the key's secret part, in hexadecimal. */
  readonly sha256: string;
}

const entrySchema = type({
  "+": "reject",
  id: /^[a-z0-9]{8}$/,
  role: "'shop' | 'operator'",
  "customer?": "1 <= string <= 200",
  "ratePerMinute?": "1 <= number.integer <= 10000000",
  "note?": "string <= 200",
  createdAt: "string",
  sha256: /^[0-9a-f]{64}$/,
});
const fileSchema = type({ "+": "reject", keys: entrySchema.array() });

/** What to note of a key that is made. */
export type KeyOptions = Pick<KeyEntry, "role"> & Partial<Pick<KeyEntry, "customer" | "ratePerMinute" | "note">>;

/**
 * A new key, `wb_<id>_<secret>`, and what to keep of it. The secret is 256 random bits, so that nobody can find it by trying
 * and one round of SHA-256 hides it: a slow hash is for what people choose, and would cost each request what it costs a thief.
 */
export function newKey(options: KeyOptions): { readonly key: string; readonly entry: KeyEntry } {
  const id = randomBytes(4).toString("hex");
  const secret = randomBytes(32).toString("base64url");
  const entry = { id, ...options, createdAt: new Date().toISOString(), sha256: secretHash(secret) };
  return { key: `wb_${id}_${secret}`, entry };
}

/** The id and the secret of a key; undefined for what is no key. */
export function partsOf(key: string): { readonly id: string; readonly secret: string } | undefined {
  const found = /^wb_([a-z0-9]{8})_([A-Za-z0-9_-]{43})$/.exec(key);
  return found === null ? undefined : { id: found[1]!, secret: found[2]! };
}

export function secretHash(secret: string): string {
  return hash("sha256", secret, "hex");
}

/** The keys of a file; none when there is no file. Throws an Error that names the field when it is not one of keys. */
export function readKeyFile(file: string): readonly KeyEntry[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new Error(`The keys in ${file} cannot be read: ${(error as Error).message}.`, { cause: error });
  }
  const found = fileSchema(parsed(file, text));
  if (found instanceof type.errors) throw new Error(`The keys in ${file} are not valid: ${found.summary}.`);
  return found.keys;
}

function parsed(file: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`The keys in ${file} are not valid: the file is not JSON.`, { cause: error });
  }
}

/** Writes keys down for their owner's eyes only; the file is never there in part. */
export function writeKeyFile(file: string, keys: readonly KeyEntry[]): void {
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}.draft`;
  writeFileSync(draft, `${JSON.stringify({ keys }, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(draft, file);
}
