import type { Mailer } from "@waybill/notifications";
import { readFileSync } from "node:fs";
import type { MailConfig } from "../config/mail.ts";
import { headersOf, htmlOf, messageIdOf } from "./letter.ts";
import { outcomeOf } from "./smtp-outcome.ts";

/** How long a server may take to let us in, in milliseconds. */
const greetingMs = 10_000;
/** How long it may be silent. Behind the text of a letter a server may scan it before it answers. */
const silentMs = 110_000;
/** How long an attempt may take in all. */
const attemptMs = 120_000;
/** A connection that nobody used for so long is ended by us, before a server ends it under a letter. */
const idleMs = 60_000;

/**
 * A mailer that hands letters to a server by SMTP (RFC 5321), over kept and bounded connections. Each is plain text and a page
 * with the same words, under a `Message-ID` that derives from the call's key.
 *
 * SMTP has no look-up: when the connection is lost between a letter's last byte and the server's answer, nobody can tell
 * whether it was taken. Such an attempt is `unknown`, and the engine makes it again: a letter may come twice, with the same
 * `Message-ID`, rather than not at all. Closing ends the connections; letters under way are made again at the next start.
 */
export async function smtpMailer(config: MailConfig): Promise<Mailer & AsyncDisposable> {
  // Loaded only where there is a server to write to.
  const { createTransport } = await import("nodemailer");
  const { from, connectionsMax } = config;
  const pool = createTransport({ pool: true, ...connectionOf(config) });

  return {
    concurrency: connectionsMax,
    timeoutMs: attemptMs,
    async send(mail, { key, signal }) {
      if (signal.aborted) return { kind: "again", reason: "stopped before it was sent" };
      // As one address, whatever stands in it: a list would be read out of a text.
      const to = { name: "", address: mail.to };
      try {
        await pool.sendMail({
          from,
          to,
          envelope: { from, to: [to] },
          subject: mail.subject,
          text: mail.text,
          html: htmlOf(mail),
          messageId: messageIdOf(key, from.address),
          headers: headersOf(mail),
          disableFileAccess: true,
          disableUrlAccess: true,
          signal,
        });
        return { kind: "done", value: null };
      } catch (error) {
        return outcomeOf(error);
      }
    },
    async [Symbol.asyncDispose]() {
      pool.close({ force: true });
    },
  };
}

function connectionOf({ host, port, secure, tls, caFile, user, password, connectionsMax }: MailConfig) {
  const encryption = tls === "none" ? { ignoreTLS: true } : { requireTLS: true };
  return {
    host,
    port,
    secure,
    ...(secure ? {} : encryption),
    tls: { minVersion: "TLSv1.2" as const, ...(caFile === undefined ? {} : { ca: readFileSync(caFile) }) },
    ...(user === undefined ? {} : { auth: { user, pass: password ?? "" } }),
    maxConnections: connectionsMax,
    // Repeats are the engine's: it knows what they may do. Only what surely never left is put on another connection.
    maxRequeues: 1,
    connectionTimeout: greetingMs,
    greetingTimeout: greetingMs,
    dnsTimeout: greetingMs,
    socketTimeout: silentMs,
    idleTimeout: idleMs,
  };
}
