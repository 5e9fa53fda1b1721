import { STATUS_CODES } from "node:http";

export interface FieldError {
  /** Where the mistake stands: a member of the body, a header, a query parameter. */
  readonly field: string;
  /** What is wrong with it and what would be right. */
  readonly reason: string;
}

/** An answer that is an error, as RFC 9457 describes it; `code` is what a program should look at. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: number;
  readonly code: string;
  readonly more: { readonly errors?: readonly FieldError[]; readonly operation?: unknown };
  readonly retryAfterS: number | undefined;

  constructor(
    status: number,
    code: string,
    detail: string,
    more: { errors?: readonly FieldError[]; operation?: unknown; retryAfterS?: number } = {},
  ) {
    super(detail);
    const { retryAfterS, ...members } = more;
    this.status = status;
    this.code = code;
    this.more = members;
    this.retryAfterS = retryAfterS;
  }

  /** The problem document. */
  toJSON(): Record<string, unknown> {
    const { status, code, message: detail } = this;
    return {
      type: "about:blank",
      title: STATUS_CODES[status] ?? "Error",
      status,
      detail,
      code,
      ...this.more,
    };
  }
}

/** A problem with one field of a request. */
export function fieldProblem(status: number, code: string, field: string, reason: string): Problem {
  return new Problem(status, code, `${field}: ${reason}`, { errors: [{ field, reason }] });
}
