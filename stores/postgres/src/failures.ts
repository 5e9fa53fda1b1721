import { messageOf, WaybillError, type ErrorCode } from "@waybill/messaging";

/** What an error of the driver says of the statement: what the database told, or nothing but that the line broke. */
interface Told {
  readonly code: string;
  readonly message: string;
  readonly detail?: string | undefined;
  readonly constraint?: string | undefined;
}

function told(error: unknown): Told | undefined {
  const { code, severity } = error as { code?: unknown; severity?: unknown };
  return typeof code === "string" && typeof severity === "string" ? (error as Told) : undefined;
}

/** Something in the rows is at fault: data, constraints, limits of a row, and what a trigger or function raised. */
const refusing = new Set(["21", "22", "23", "44", "54", "P0"]);

/** A deadlock or a serialisation failure: nothing was kept, and the very same statement may succeed at once. */
export function isTransient(error: unknown): boolean {
  return ["40001", "40P01"].includes(told(error)?.code ?? "");
}

/** The error of a statement that changes at most one row or none, and may be repeated. */
export function failureOf(error: unknown): WaybillError {
  const answer = told(error);
  if (answer === undefined) return unavailable(`The database did not answer: ${messageOf(error)}`, error);
  return coded("STORE_UNAVAILABLE", answer, adviceOn(answer.code));
}

/** The error of a commit whose statement had been sent. */
export function commitFailureOf(error: unknown, service: string, lane: number): WaybillError {
  const answer = told(error);
  const of = `batch of lane ${lane} of "${service}"`;
  if (answer === undefined) {
    return new WaybillError("COMMIT_UNKNOWN", `Whether a ${of} was committed is not known: ${messageOf(error)}`);
  }
  const { code, constraint } = answer;
  if (code === "WB001") return conflict(answer, service);
  if (code === "23505" && constraint === "state_pkey") {
    return coded("STATE_CONFLICT", answer, `A ${of} makes a state that exists already.`);
  }
  // The server was stopped or failed under the statement: the commit itself may have gone through.
  if (code.startsWith("57P") || code.startsWith("08") || code.startsWith("58")) {
    return coded("COMMIT_UNKNOWN", answer, `Whether a ${of} was committed is not known.`);
  }
  if (refusing.has(code.slice(0, 2))) return coded("BATCH_REFUSED", answer, `The database refuses a ${of}.`);
  return coded("STORE_UNAVAILABLE", answer, adviceOn(code));
}

export function unavailable(text: string, cause?: unknown): WaybillError {
  return new WaybillError("STORE_UNAVAILABLE", text, cause === undefined ? {} : { cause });
}

function coded(code: ErrorCode, { code: sqlState, message, constraint }: Told, text: string): WaybillError {
  // The driver's own error is not passed on as the cause: its details hold whole rows.
  return new WaybillError(code, `${text} PostgreSQL says: ${message} (${sqlState}).`, {
    details: { sqlState, ...(constraint === undefined ? {} : { constraint }) },
  });
}

function conflict({ detail }: Told, service: string): WaybillError {
  const { kind, id, stored, expected } = JSON.parse(detail ?? "{}") as Record<string, unknown>;
  return new WaybillError(
    "STATE_CONFLICT",
    `State ${String(kind)} "${String(id)}" of "${service}" is at version ${String(stored)}; the commit expected ${String(expected)}.`,
    { details: { service, kind, id, stored, expected } },
  );
}

function adviceOn(code: string): string {
  if (["42P01", "42883", "3F000", "42703"].includes(code)) {
    return "The database lacks something that this build needs: run `waybill migrate`.";
  }
  if (code.startsWith("28")) return "The database does not let this user in: check user and password of its URL.";
  if (code === "42501") return "The database's user may not do this: grant it the rights on the schema.";
  if (code === "3D000") return "There is no such database: create it, or correct the URL.";
  if (code === "25006") return "The database only takes reads: this is a standby, or it was set so.";
  if (code === "55P03") return "Somebody else holds a lock that is needed, perhaps a former owner who is paused.";
  if (code.startsWith("53")) return "The database lacks room, memory or connections.";
  return "The database cannot do this now.";
}
