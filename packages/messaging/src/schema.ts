import type { StandardSchemaV1 } from "@standard-schema/spec";
import { WaybillError, type ErrorCode } from "./errors.ts";

/** A schema of any library that speaks Standard Schema 1 and validates synchronously. */
export type Schema<T> = StandardSchemaV1<unknown, T>;

/** One thing that is wrong with a value: the path as `lines[0].quantity`, and the reason. */
export interface Issue {
  readonly field: string;
  readonly reason: string;
}

/** A schema's validator, taken out of it once: some libraries make it anew each time that it is looked at. */
export type Validator<T> = (value: unknown) => StandardSchemaV1.Result<T> | Promise<StandardSchemaV1.Result<T>>;

export function validatorOf<T>(schema: Schema<T>): Validator<T> {
  return schema["~standard"].validate;
}

/** The value as the schema returns it, or what is wrong with it. */
export function check<T>(schema: Schema<T>, value: unknown): { value: T } | { issues: readonly Issue[] } {
  return checkWith(validatorOf(schema), value);
}

function checkWith<T>(validate: Validator<T>, value: unknown): { value: T } | { issues: readonly Issue[] } {
  const result = validate(value);
  if (result instanceof Promise) {
    throw new WaybillError("CONTRACT_INVALID", "A schema of a message must validate synchronously.");
  }
  if (result.issues === undefined) return { value: result.value };
  return { issues: result.issues.map((issue) => ({ field: pathOf(issue.path), reason: issue.message })) };
}

/** The checked value; throws `code` with every field that is wrong. The text begins with `what` and the name. */
export function checked<T>(
  { validate, name }: { readonly validate: Validator<T>; readonly name: string },
  value: unknown,
  code: ErrorCode,
  what: string,
): T {
  const result = checkWith(validate, value);
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
