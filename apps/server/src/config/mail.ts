import type { Issue } from "@waybill/messaging";
import { readFileSync } from "node:fs";
import { senderDefault, senderOf } from "../mail/letter.ts";
import type { WaybillConfig } from "./schema.ts";

/** The server that letters are handed to. */
export interface MailConfig {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte on. */
  readonly secure: boolean;
  /** `none`: nothing is encrypted. */
  readonly tls: "required" | "none";
  /** A file of certificates of authorities, as PEM, in place of those that Node knows. */
  readonly caFile?: string | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly from: { readonly name: string; readonly address: string };
  readonly connectionsMax: number;
}

const example = "smtp://shop@mail.example.org:587";

/** The mail server, if there is one. Adds what is missing or cannot be to `issues`. */
export function mailOf(said: NonNullable<WaybillConfig["mail"]>, issues: Issue[]): MailConfig | undefined {
  const { url: text, tls = "required", connectionsMax = 4 } = said;
  if (text === undefined) {
    const idle = Object.keys(said)[0];
    if (idle !== undefined)
      issues.push({ field: `mail.${idle}`, reason: `is for a mail server; set mail.url as well, such as ${example}` });
    return undefined;
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // What was given is not repeated: it may hold a password.
  if (url === undefined || !/^smtps?:$/.test(url.protocol) || url.hostname === "" || /[?#]/.test(text)) {
    issues.push({ field: "mail.url", reason: `must be like ${example}, or smtps://… for TLS from the first byte on` });
    return undefined;
  }
  const from = senderIn(said.from, issues);
  const user = said.user ?? given(decodeURIComponent(url.username));
  const password = said.password ?? given(decodeURIComponent(url.password));
  const secure = url.protocol === "smtps:";
  if ((user === undefined) !== (password === undefined)) {
    issues.push({ field: "mail", reason: "a user and a password go together: give mail.user and mail.password" });
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (tls === "none" && !secure && password !== undefined && !isOwn(host)) {
    issues.push({ field: "mail.tls", reason: "must be required where a password is sent to another machine" });
  }
  const { caFile } = said;
  if (caFile !== undefined) checkReadable("mail.caFile", caFile, issues);
  const port = url.port === "" ? (secure ? 465 : 587) : Number(url.port);
  return { host, port, secure, tls, caFile, user, password, from, connectionsMax };
}

function senderIn(text: string | undefined, issues: Issue[]): MailConfig["from"] {
  const sender = text === undefined ? undefined : senderOf(text);
  if (sender !== undefined) return sender;
  const reason = "must say whose letters these are, such as Mugs & More <shop@example.org>; set WAYBILL_MAIL_FROM";
  issues.push({ field: "mail.from", reason });
  return senderOf(senderDefault)!;
}

function given(text: string): string | undefined {
  return text === "" ? undefined : text;
}

function isOwn(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

/** A file that cannot be read is found here, and not when the first letter goes out. */
function checkReadable(field: string, path: string, issues: Issue[]): void {
  try {
    readFileSync(path);
  } catch (error) {
    issues.push({ field, reason: `${path} cannot be read: ${(error as Error).message}` });
  }
}
