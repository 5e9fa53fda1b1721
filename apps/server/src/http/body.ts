import { check, type Issue, type Schema } from "@waybill/messaging";
import { fieldsInvalid } from "./problem.ts";

/** The members of a body. Throws a problem when it is none. */
export function membersOf(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body === "object" && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  throw fieldsInvalid([{ field: "", reason: "must be a JSON object" }]);
}

/** The body as a message that the shop takes. `ours`: the members that the shop sets and a client must not. */
export function messageFrom<T>(schema: Schema<T>, body: unknown, ours: Readonly<Record<string, unknown>>): T {
  const members = membersOf(body);
  const foreign = Object.keys(ours).filter((name) => Object.hasOwn(members, name));
  const errors: Issue[] = foreign.map((field) => ({ field, reason: "is set by the shop; leave it out" }));
  if (errors.length > 0) throw fieldsInvalid(errors);
  return valueOf(schema, { ...members, ...ours });
}

/** The value as the schema has it. Throws a problem that names each field that is not valid. */
export function valueOf<T>(schema: Schema<T>, value: unknown): T {
  const result = check(schema, value);
  if ("value" in result) return result.value;
  throw fieldsInvalid(result.issues.map(plain));
}

/** A reason without the field's name in front, which stands beside it. */
function plain({ field, reason }: Issue): Issue {
  const text = oneLine(reason.startsWith(`${field} `) ? reason.slice(field.length + 1) : reason);
  return { field, reason: text === "must be removed" ? "is not known; leave it out" : text };
}

/** What breaks several conditions at once is told as a list, a line each, in which the same may stand twice. */
function oneLine(reason: string): string {
  const [head = "", ...lines] = reason.split(/\n\s*◦\s*/);
  if (lines.length === 0) return reason;
  const was = /^\((.*)\)/.exec(head)?.[1];
  return `must be ${[...new Set(lines)].join(" and ")}${was === undefined ? "" : ` (was ${was})`}`;
}
