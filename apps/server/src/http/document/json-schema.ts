/** A JSON Schema of draft 2020-12, which is the one that OpenAPI 3.1 uses. */
export type JsonSchema = Readonly<Record<string, unknown>>;

interface Convertible {
  toJsonSchema?: (options: object) => JsonSchema;
}

/** The JSON Schema of a schema. Throws when its library cannot tell it. */
export function jsonSchema(schema: object): JsonSchema {
  const { toJsonSchema } = schema as Convertible;
  if (toJsonSchema === undefined) throw new Error("This schema has no toJsonSchema: documents cannot be made of it.");
  const { $schema: _, ...made } = toJsonSchema.call(schema, {}) as Record<string, unknown>;
  return tidied(made) as JsonSchema;
}

/** The schema of an object without some of its members. */
export function without(schema: JsonSchema, ...names: readonly string[]): JsonSchema {
  const { properties, required } = schema as { properties: Record<string, unknown>; required: readonly string[] };
  return {
    ...schema,
    properties: Object.fromEntries(Object.entries(properties).filter(([name]) => !names.includes(name))),
    required: required.filter((name) => !names.includes(name)),
  };
}

/** The schema of an object in which some members may be left out. */
export function optional(schema: JsonSchema, ...names: readonly string[]): JsonSchema {
  const { required } = schema as { required: readonly string[] };
  return { ...schema, required: required.filter((name) => !names.includes(name)) };
}

/** The schema of an object in which some texts are times. */
export function asTimes(schema: JsonSchema, ...names: readonly string[]): JsonSchema {
  const properties = { ...(schema["properties"] as Record<string, JsonSchema>) };
  for (const name of names) properties[name] = { ...properties[name], format: "date-time" };
  return { ...schema, properties };
}

/** Lists of constants as an enumeration, and patterns as JSON Schema reads them: with whole characters. */
function tidied(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(tidied);
  if (typeof value !== "object" || value === null) return value;
  const { anyOf, pattern, ...rest } = value as { anyOf?: readonly JsonSchema[]; pattern?: string };
  const plain = Object.fromEntries(Object.entries(rest).map(([name, member]) => [name, tidied(member)]));
  if (pattern !== undefined) return { ...plain, pattern: ofWholeCharacters(pattern) };
  if (anyOf === undefined) return plain;
  const isEnum = anyOf.every((one) => Object.hasOwn(one, "const"));
  return isEnum ? { ...plain, enum: anyOf.map((one) => one["const"]) } : { ...plain, anyOf: tidied(anyOf) };
}

/**
 * Where a pattern keeps control characters and halves of surrogate pairs out, it keeps out every character that is written as
 * a pair. A pattern of JSON Schema sees such a character as one, and not every program can read a half: so what is let in
 * is told instead.
 */
function ofWholeCharacters(pattern: string): string {
  return pattern.replaceAll("[^\\x00-\\x1f\\x7f-\\x9f\\ud800-\\udfff]", "[\\x20-\\x7e\\xa0-\\ud7ff\\ue000-\\uffff]");
}
