import type { FastifyReply } from "fastify";
import type { Problem } from "./problem.ts";

/** Sends a value as JSON; laid out for people when the query has `pretty`. */
export function answer(
  reply: FastifyReply,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): FastifyReply {
  return send(reply, status, body, "application/json; charset=utf-8", headers);
}

export function answerProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  const { headers = {} } = problem.options;
  return send(reply, problem.status, problem.document(), "application/problem+json; charset=utf-8", headers);
}

function send(
  reply: FastifyReply,
  status: number,
  body: unknown,
  type: string,
  headers: Readonly<Record<string, string>>,
): FastifyReply {
  const query = reply.request.query as Record<string, unknown> | undefined;
  const text = query?.["pretty"] === undefined ? JSON.stringify(body) : `${laidOut(body)}\n`;
  return reply.code(status).headers(headers).type(type).send(text);
}

/** JSON in which whatever holds only plain values stands on one line: a history is then read like a table. */
export function laidOut(value: unknown, indent = ""): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  const isFlat = entries.every(([, member]) => typeof member !== "object" || member === null);
  const isList = Array.isArray(value);
  const inner = `${indent}  `;
  const parts = entries.map(([name, member]) => {
    const text = laidOut(member, inner);
    return isList ? text : `${JSON.stringify(name)}: ${text}`;
  });
  const [open, close] = isList ? ["[", "]"] : ["{", "}"];
  if (parts.length === 0) return open + close;
  if (isFlat && indent !== "") return isList ? `[${parts.join(", ")}]` : `{ ${parts.join(", ")} }`;
  return `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${indent}${close}`;
}
