import { codeOf, messageOf, WaybillError, type ErrorCode, type Issue } from "@waybill/messaging";
import { STATUS_CODES } from "node:http";

/** Every kind of problem that this interface answers with: its status, and a title that is always the same. */
export const problemKinds = {
  "request-invalid": [400, "The request cannot be read"],
  "body-unreadable": [400, "The body is not valid JSON"],
  unauthorized: [401, "A key is needed"],
  forbidden: [403, "This is not allowed"],
  "not-found": [404, "There is no such thing"],
  "route-unknown": [404, "There is no such route"],
  "method-not-allowed": [405, "This route does not take that method"],
  "order-conflict": [409, "The idempotency key belongs to another order"],
  "adjustment-conflict": [409, "The adjustment's id belongs to another adjustment"],
  "cancel-refused": [409, "The order can no longer be cancelled"],
  "adjustment-refused": [409, "The stock does not allow this adjustment"],
  "shipment-refused": [409, "The shipment does not allow this"],
  "payment-settled": [409, "The payment does not wait for a person"],
  "parked-elsewhere": [409, "It is not parked in a lane of this process"],
  "service-in-use": [409, "The service is still part of the shop"],
  "lane-refused": [409, "The lane does not wait for this"],
  "request-timeout": [408, "The request took too long to arrive"],
  "body-too-large": [413, "The body is too large"],
  "media-type-unsupported": [415, "The body must be JSON"],
  "fields-invalid": [422, "Some fields are not valid"],
  "too-many-requests": [429, "Too many requests"],
  "headers-too-large": [431, "The headers are too large"],
  internal: [500, "Something went wrong here"],
  starting: [503, "The shop is still starting"],
  unavailable: [503, "The shop cannot store anything now"],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemKind = keyof typeof problemKinds;

export interface ProblemOptions {
  readonly errors?: readonly Issue[];
  readonly headers?: Readonly<Record<string, string>>;
  /** More members of the document. */
  readonly more?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** The most fields that one document names. */
const errorsMax = 20;

/** What went wrong with a request, as RFC 9457 writes it down. Throw it from a route. */
export class Problem extends Error {
  readonly kind: ProblemKind;
  readonly options: ProblemOptions;

  constructor(kind: ProblemKind, detail: string, options: ProblemOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.options = options;
  }

  get status(): number {
    return problemKinds[this.kind][0];
  }

  /** The document to send. */
  document(): Record<string, unknown> {
    const { errors, more } = this.options;
    return {
      type: `urn:waybill:problem:${this.kind}`,
      title: problemKinds[this.kind][1],
      status: this.status,
      detail: this.message,
      ...(errors === undefined ? {} : { errors: errors.slice(0, errorsMax) }),
      ...more,
    };
  }
}

/** A problem with fields, each named with its reason. */
export function fieldsInvalid(errors: readonly Issue[]): Problem {
  const named = errors.slice(0, errorsMax).map(({ field, reason }) => ({ field: field || "body", reason }));
  const detail =
    errors.length === 1 ? `${named[0]!.field}: ${named[0]!.reason}.` : `${errors.length} fields are not valid.`;
  return new Problem("fields-invalid", detail, { errors: named });
}

/** Nothing can be stored now; the caller may come back. */
export function unavailable(detail: string, cause?: unknown): Problem {
  return new Problem("unavailable", detail, { headers: { "retry-after": "2" }, cause });
}

const ofCode: Partial<Record<ErrorCode, ProblemKind>> = {
  MESSAGE_INVALID: "fields-invalid",
  KEY_INVALID: "fields-invalid",
  MESSAGE_TOO_LARGE: "body-too-large",
  BACKLOG_FULL: "unavailable",
  STORE_UNAVAILABLE: "unavailable",
  TRANSPORT_UNAVAILABLE: "unavailable",
  CLOSED: "unavailable",
};

const ofFastify: Readonly<Record<string, ProblemKind>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: "body-too-large",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "media-type-unsupported",
};

/** Any error as a problem. What nobody foresaw is internal, and says nothing of itself to the caller. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof WaybillError) return problemOfCode(error);
  const { code, statusCode = 500 } = error as { code?: string; statusCode?: number };
  const kind = code === undefined ? undefined : ofFastify[code];
  if (kind === "media-type-unsupported") return new Problem(kind, "Send the body as application/json.");
  if (kind !== undefined) return new Problem(kind, sentence(messageOf(error)));
  if (error instanceof SyntaxError && statusCode === 400)
    return new Problem("body-unreadable", sentence(error.message));
  if (statusCode >= 400 && statusCode < 500) {
    return new Problem("request-invalid", sentence(messageOf(error) || (STATUS_CODES[statusCode] ?? "")));
  }
  return new Problem("internal", "It is written in the server's log.", { cause: error });
}

function problemOfCode(error: WaybillError): Problem {
  const kind = ofCode[codeOf(error)!];
  if (kind === undefined) return new Problem("internal", "It is written in the server's log.", { cause: error });
  if (kind === "unavailable") return unavailable(error.message, error);
  const issues = error.details["issues"];
  if (Array.isArray(issues)) return fieldsInvalid(issues as Issue[]);
  return new Problem(kind, error.message, { cause: error });
}

function sentence(text: string): string {
  return text.endsWith(".") ? text : `${text}.`;
}
