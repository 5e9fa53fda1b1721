import * as fc from "fast-check";

/** A JSON Schema as the document has it. */
export type Schema = Readonly<Record<string, unknown>>;

type Values = fc.Arbitrary<unknown>;

/** What programs trip over: in SQL, in paths, in HTML, in logs, in headers, and where text is counted. */
export const nasty = [
  "",
  " ",
  "'; DROP TABLE message; --",
  '" OR 1=1 --',
  "../../../../etc/passwd",
  "%2e%2e%2f",
  "<script>alert(1)</script>",
  "${7*7}{{7*7}}",
  "a\r\nSet-Cookie: b=c",
  "a\u0000b",
  "\ud800",
  "ﷺ💥é",
  "__proto__",
  "constructor",
  "%",
  "_",
  "\\",
  "x".repeat(5_000),
];

const anything: Values = fc.oneof(
  fc.constantFrom<unknown>(...nasty, null, true, 0, -1, 0.5, 1e308, 2 ** 53, [], {}, [[]], { a: 1 }),
  fc.jsonValue({ maxDepth: 2 }),
);

/** Values that fit a schema, as far as it is one of those that the document has. */
export function fitting(schema: Schema): Values {
  const {
    anyOf,
    enum: listed,
    type,
    const: only,
  } = schema as { anyOf?: Schema[]; enum?: unknown[]; type?: string; const?: unknown };
  if (anyOf !== undefined) return fc.oneof(...anyOf.map(fitting));
  if (listed !== undefined) return fc.constantFrom(...listed);
  if (Object.hasOwn(schema, "const")) return fc.constant(only);
  if (type === "object") return membersOf(schema);
  if (type === "array") return listOf(schema);
  if (type === "string") return textOf(schema);
  if (type === "boolean") return fc.boolean();
  if (type === "integer" || type === "number") return numberOf(schema);
  return anything;
}

function membersOf({
  properties = {},
  required = [],
}: { properties?: Record<string, Schema>; required?: string[] } & Schema): Values {
  const members = Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, fitting(one)]));
  return fc.record(members, { requiredKeys: required });
}

function listOf({ items = {}, minItems = 0 }: { items?: Schema; minItems?: number } & Schema): Values {
  return fc.array(fitting(items), { minLength: minItems, maxLength: minItems + 3 });
}

function textOf({
  pattern,
  minLength = 0,
  maxLength = 60,
}: { pattern?: string; minLength?: number; maxLength?: number } & Schema): Values {
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern, "u"), { maxLength: 60 });
  return fc.string({ minLength, maxLength: Math.min(maxLength, 60) });
}

function numberOf({ minimum = 0, maximum = 1_000 }: { minimum?: number; maximum?: number } & Schema): Values {
  return fc.integer({ min: minimum, max: maximum });
}

/** Values that nearly fit: one member, at any depth, is anything else, is missing, or is one that nobody knows. */
export function nearly(schema: Schema): Values {
  return fc.tuple(fitting(schema), anything, fc.nat(), fc.constantFrom("other", "missing", "unknown")).map(spoilt);
}

function spoilt([value, other, at, how]: [unknown, unknown, number, string]): unknown {
  if (typeof value !== "object" || value === null) return other;
  const names = Object.keys(value);
  if (how === "unknown" || names.length === 0)
    return Array.isArray(value) ? [...value, other] : { ...value, colour: other };
  const name = names[at % names.length]!;
  const member: unknown = (value as Record<string, unknown>)[name];
  const changed = how === "missing" ? undefined : spoilt([member, other, Math.floor(at / names.length), how]);
  if (Array.isArray(value)) return value.map((one: unknown, index) => (String(index) === name ? changed : one));
  return { ...value, [name]: changed };
}

/** Values of a path or a query: those that fit, those that are there, and those that hurt. */
export function texts(schema: Schema, known: readonly string[]): fc.Arbitrary<string> {
  const fit = fitting(schema).map((value) => String(value));
  return fc.oneof(
    fit,
    fc.constantFrom(...nasty.filter((text) => text.isWellFormed())),
    ...(known.length > 0 ? [fc.constantFrom(...known)] : []),
  );
}
