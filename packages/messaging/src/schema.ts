import type { StandardSchemaV1 } from "@standard-schema/spec";
import { WaybillError, type ErrorCode } from "./errors.ts";

/** A schema of any library that speaks Standard Schema 1 and validates synchronously. */
export type Schema<T> = StandardSchemaV1<unknown, T>;

/** One thing that is wrong with a value: the path as `lines[0].quantity`, and the reason. */
export interface Issue {
  readonly field: string;
  readonly reason: string;
}

/** The value as the schema returns it, or what is wrong with it. */
export function check<T>(schema: Schema<T>, value: unknown): { value: T } | { issues: readonly Issue[] } {
  const result = schema["~standard"].validate(value);
  if (result instanceof Promise) {
    throw new WaybillError("CONTRACT_INVALID", "A schema of a message must validate synchronously.");
  }
  if (result.issues === undefined) return { value: result.value };
  return { issues: result.issues.map((issue) => ({ field: pathOf(issue.path), reason: issue.message })) };
}

/** The checked value; throws `code` with every field that is wrong. The text begins with `what` and `name`. */
export function checked<T>(schema: Schema<T>, value: unknown, code: ErrorCode, what: string, name: string): T {
  const result = check(schema, value);
  if ("value" in result) return result.value;
  const text = result.issues.map((issue) => `${issue.field === "" ? "body" : issue.field}: ${issue.reason}`).join("; ");
  throw new WaybillError(code, `${what} ${name}: ${text}`, { details: { issues: result.issues } });
}

function pathOf(path: StandardSchemaV1.Issue["path"]): string {
  let text = "";
  for (const part of path ?? []) {
    const key = typeof part === "object" ? part.key : part;
    text += typeof key === "number" ? `[${key}]` : text === "" ? String(key) : `.${String(key)}`;
  }
  return text;
}
