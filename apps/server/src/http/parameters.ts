import type { Issue } from "@waybill/messaging";
import type { FastifyRequest } from "fastify";
import { fieldsInvalid } from "./problem.ts";

/** The longest part of a path: no id and no key is longer. */
const partBytesMax = 400;

/**
 * Refuses parts of the path that can name nothing, and parameters of the query that the route does not know, before anything
 * is asked with them.
 */
export async function checkParameters({ params, query, routeOptions }: FastifyRequest): Promise<void> {
  const { api } = routeOptions.config;
  if (api === undefined) return;
  const errors: Issue[] = [];
  for (const [field, value] of Object.entries(params as Record<string, string>)) {
    if (!isNameable(value)) errors.push({ field, reason: "must be 1 to 400 bytes of text without control characters" });
  }
  const known = api.query?.["properties"] as Record<string, unknown> | undefined;
  for (const field of Object.keys(query as object)) {
    if (field === "pretty" || Object.hasOwn(known ?? {}, field)) continue;
    errors.push({ field: field.slice(0, 100), reason: "is not known; leave it out" });
  }
  if (errors.length > 0) throw fieldsInvalid(errors);
}

function isNameable(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are what is kept out
  return text !== "" && Buffer.byteLength(text) <= partBytesMax && !/[\x00-\x1f\x7f-\x9f]/.test(text);
}
