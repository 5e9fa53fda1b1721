import { codeOf, messageOf, type ErrorCode } from "@waybill/messaging";
import { ReplayError } from "./replay/errors.ts";

/** What the program exits with, after sysexits.h where that has a number; a test holds the help to this list. */
export const exitCodes = {
  ok: { code: 0, text: "done" },
  failed: { code: 1, text: "a check failed, or what was asked for does not exist" },
  usage: { code: 2, text: "the command line is wrong" },
  data: { code: 65, text: "a file is not what it should be" },
  unavailable: { code: 69, text: "the data folder or the server cannot be used now" },
  config: { code: 78, text: "the configuration is wrong, or Node is too old" },
  fault: { code: 70, text: "a fault in Waybill itself" },
} as const;

export type ExitName = keyof typeof exitCodes;

/** Something that the user can mend: it is said in one sentence and ends the program. */
export class CliError extends Error {
  override readonly name = "CliError";
  readonly exit: ExitName;

  constructor(exit: ExitName, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.exit = exit;
  }
}

/** Somebody asked the program to end, by Ctrl-C or `kill`. */
export class Stopped extends Error {
  override readonly name = "Stopped";
  readonly signal: "SIGINT" | "SIGTERM" | "SIGHUP";

  constructor(signal: Stopped["signal"], message: string) {
    super(message);
    this.signal = signal;
  }
}

const replayExits: Readonly<Record<ReplayError["code"], ExitName>> = {
  FILE_UNREADABLE: "data",
  FILE_INVALID: "data",
  OPTION_INVALID: "usage",
  REFERENCE_INVALID: "data",
};

/** What keeps a shop from being used, and can be mended from outside. */
const unusable: ReadonlySet<ErrorCode> = new Set([
  "STORE_UNAVAILABLE",
  "TRANSPORT_UNAVAILABLE",
  "LEVEL_TOO_LOW",
  "CONTRACT_INVALID",
  "TOPIC_MISMATCH",
]);

/** Which exit an error means, and what to say of it. Only a fault of our own shows its stack. */
export function explain(error: unknown): { readonly exit: ExitName; readonly text: string } {
  if (error instanceof CliError) return { exit: error.exit, text: error.message };
  if (error instanceof ReplayError) return { exit: replayExits[error.code], text: error.message };
  if (error instanceof Error && error.name === "ConfigError") return { exit: "config", text: error.message };
  const code = codeOf(error);
  if (code !== undefined && unusable.has(code)) return { exit: "unavailable", text: messageOf(error) };
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { exit: "fault", text: `A fault in Waybill; please report it with the lines below.\n${stack}` };
}

/** The part of each command's help that says what the program exits with. */
export function exitHelp(): string {
  const rows = Object.values(exitCodes).map(({ code, text }) => `  ${String(code).padStart(3)}  ${text}`);
  return ["Exit codes:", ...rows, "  128 + n  ended by signal n, such as 130 for Ctrl-C"].join("\n");
}
