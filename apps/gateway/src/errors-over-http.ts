import { STATUS_CODES } from "node:http";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { Problem, type FieldError } from "./problem.ts";

type Mistake = NonNullable<FastifyError["validation"]>[number] & {
  readonly parentSchema?: { readonly description?: string };
};

/** Answers any error with a problem document; what nobody foresaw is told to `log` and kept from the caller. */
export function errorHandler(log: (error: unknown) => void) {
  return (error: unknown, _request: FastifyRequest, reply: FastifyReply): void => {
    const problem = problemOf(error);
    if (problem.code === "internal") log(error);
    sendProblem(reply, problem);
  };
}

export function sendProblem(reply: FastifyReply, problem: Problem): void {
  if (problem.retryAfterS !== undefined) void reply.header("retry-after", String(problem.retryAfterS));
  void reply.code(problem.status).type("application/problem+json").send(JSON.stringify(problem));
}

function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  const { validation, validationContext, statusCode, message } = error as FastifyError;
  if (validation !== undefined) return invalid(validation, validationContext ?? "request");
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) return frameworkProblem(statusCode, message);
  return new Problem(500, "internal", "The gateway met an error of its own; its log says which.");
}

/** What the framework refuses before any route sees it: broken JSON, a wrong media type, a body that is too large. */
function frameworkProblem(status: number, message: string): Problem {
  const title = STATUS_CODES[status] ?? "request refused";
  const code = title.toLowerCase().replaceAll(/[^a-z]+/g, "_");
  return new Problem(status, code, message, { errors: [{ field: "request", reason: message }] });
}

function invalid(mistakes: readonly Mistake[], context: string): Problem {
  const errors = mistakes.slice(0, 20).map((mistake) => fieldError(mistake, context));
  const detail = errors.map(({ field, reason }) => `${field}: ${reason}`).join("; ");
  return new Problem(422, "invalid_request", detail, { errors });
}

function fieldError(mistake: Mistake, context: string): FieldError {
  const { keyword, params, instancePath, message = "is not valid", parentSchema } = mistake;
  if (keyword === "required") return { field: nameOf(String(params.missingProperty)), reason: "is missing" };
  if (keyword === "additionalProperties") {
    return {
      field: String(params.additionalProperty).slice(0, 100),
      reason: "is not known here: leave it out",
    };
  }
  const field = instancePath === "" ? context : nameOf(instancePath.slice(1));
  return { field, reason: parentSchema?.description ?? message };
}

function nameOf(field: string): string {
  return field === "idempotency-key" ? "Idempotency-Key" : field;
}
