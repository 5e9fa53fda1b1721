import type { Outcome, TryAgain } from "@waybill/messaging";

/** What a failed attempt to hand over a letter tells of itself. */
interface SmtpError {
  /** Ours: EENVELOPE, EMESSAGE, EAUTH, ECONNECTION, … */
  readonly code?: unknown;
  /** The server's: three digits (RFC 5321, 4.2). */
  readonly responseCode?: unknown;
  readonly response?: unknown;
  /** What was being said when it failed. */
  readonly command?: unknown;
  /** Node's own code, such as ECONNREFUSED. */
  readonly originalCode?: unknown;
  readonly syscall?: unknown;
  readonly timeoutType?: unknown;
}

/**
 * What a failure to send a letter means. `refused`: the server will never take this letter (5xx to its recipient or to its
 * text). `again`: it surely has not taken it, and may yet (4xx; no connection; and 5xx to ourselves, such as a wrong password,
 * since a person can mend that before the letter is old). `unknown`: the connection was lost, and it may have taken it.
 */
export function outcomeOf(error: unknown): Outcome<null> | TryAgain {
  const failed = (error ?? {}) as SmtpError;
  const reason = reasonOf(error);
  const status = typeof failed.responseCode === "number" ? failed.responseCode : undefined;
  const isOfLetter = failed.code === "EMESSAGE" || (failed.code === "EENVELOPE" && failed.command !== "MAIL FROM");
  // 503 tells that the commands came in the wrong order, which is not the letter's fault.
  const isPermanent = status === undefined ? failed.command === "API" : status >= 500 && status !== 503;
  if (isOfLetter && isPermanent) return { kind: "refused", reason };
  if (isOfLetter && status !== undefined && status !== 421) return { kind: "again", reason, onlyThis: true };
  if (status !== undefined || neverSent(failed)) return { kind: "again", reason };
  return { kind: "unknown", reason };
}

const beforeLetter: ReadonlySet<unknown> = new Set(["EDNS", "ETLS", "EAUTH", "EENVELOPE", "EMESSAGE", "ECONFIG"]);
/** A certificate that does not hold, by Node's codes. */
const certificate = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_)/;

/** Whether it failed before any of the letter's text could have been said. */
function neverSent({ code, originalCode, syscall, timeoutType }: SmtpError): boolean {
  if (beforeLetter.has(code) || syscall === "connect" || certificate.test(String(originalCode))) return true;
  return timeoutType !== undefined && timeoutType !== "SOCKET_TIMEOUT";
}

/** In words, without addresses: a server repeats the one that it does not know, and reasons are told to logs. */
function reasonOf(error: unknown): string {
  const { code, response, message } = (error ?? {}) as SmtpError & { message?: unknown };
  const said = typeof response === "string" ? `the mail server answered ${response}` : String(message ?? error);
  const text = typeof response === "string" || typeof code !== "string" ? said : `${code}: ${said}`;
  return text
    .replaceAll(/[^\s<>"']+@[^\s<>"']+/g, "…")
    .replaceAll(/\s+/g, " ")
    .slice(0, 300);
}
