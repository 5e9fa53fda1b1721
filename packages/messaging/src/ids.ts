import { hash } from "node:crypto";
import { WaybillError } from "./errors.ts";

/**
 * The id of what an input makes: the same again when the input is run again, and shared with nothing else.
 * 160 bits of the input's id, the service's name, what it is and its index.
 */
export function derivedId(inputId: string, service: string, what: string, index: number): string {
  return hash("sha1", `${inputId}\n${service}\n${what}${index}`, "base64url");
}

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const control = /[\u0000-\u001f\u007f]/;

/**
 * Returns the text when it can be a key, id or subject: 1–200 bytes, no control characters, whole Unicode characters.
 * The error's text begins with `what` and `name`.
 */
export function keyText(text: string, what: string, name: string): string {
  if (typeof text !== "string" || text === "") throw new WaybillError("KEY_INVALID", `${what} ${name} is empty.`);
  if (text.length > 66 && Buffer.byteLength(text) > 200) {
    throw new WaybillError("KEY_INVALID", `${what} ${name} is longer than 200 bytes.`);
  }
  if (control.test(text) || !text.isWellFormed()) {
    throw new WaybillError("KEY_INVALID", `${what} ${name} has control characters or half of a surrogate pair.`);
  }
  return text;
}
