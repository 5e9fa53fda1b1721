import type { Mail } from "@waybill/notifications";

/** Whose letters these are unless the configuration says so. */
export const senderDefault = "Waybill <shop@waybill.example>";

/** Name and address of a sender such as `Ann's Mugs <shop@example.org>`; undefined for what is neither that nor an address. */
export function senderOf(text: string): { readonly name: string; readonly address: string } | undefined {
  const [, name = "", inBrackets, bare] = /^\s*(?:([^<>@]*)<([^<>\s]+)>|([^<>\s]+))\s*$/.exec(text) ?? [];
  const address = inBrackets ?? bare ?? "";
  // oxlint-disable-next-line no-control-regex -- control characters would end a header
  const isFit = /^[\x21-\x7e]+@[a-z0-9.-]+$/i.test(address) && !/[\x00-\x1f\x7f]/.test(name);
  return isFit ? { name: name.trim().replace(/^"(.*)"$/, "$1"), address } : undefined;
}

/**
 * The name of a letter for ever, from its effect's key: whoever gets the same letter twice can tell by it. Such a key is made
 * of letters, digits, `-` and `_`; what is not is written as a hexadecimal number.
 */
export function messageIdOf(key: string, sender: string): string {
  const left = key.replaceAll(/[^A-Za-z0-9_-]/g, (sign) => `=${sign.codePointAt(0)!.toString(16)}`);
  return `<${left}@${sender.slice(sender.lastIndexOf("@") + 1)}>`;
}

/** What tells programs of a letter, beside its text. */
export function headersOf(mail: Mail): Readonly<Record<string, string>> {
  // An answering machine does not answer what says that it is none of a person's.
  return { "X-Waybill-Order": mail.orderId, "X-Waybill-Kind": mail.kind, "Auto-Submitted": "auto-generated" };
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => entities[sign]!);
}

/** A letter's text as a page: the same words, and nothing in them that a browser would take for anything else. */
export function htmlOf({ subject, text }: Mail): string {
  const paragraphs = text.split(/\n{2,}/).map((one) => `<p>${escaped(one).replaceAll("\n", "<br>")}</p>`);
  const head = `<head><meta charset="utf-8"><title>${escaped(subject)}</title></head>`;
  return `<!doctype html>\n<html lang="en">${head}<body>\n${paragraphs.join("\n")}\n</body></html>\n`;
}
