/**
 * The JSON Schemas of requests. A `description` says what the field has to be: it is the reason that a caller reads
 * when his does not fit.
 */
const reference = {
  type: "string",
  pattern: "^[^\\p{C}]{1,200}$",
  description: "has to be a text of 1 to 200 printable characters",
} as const;

const amount = {
  type: "integer",
  minimum: 1,
  maximum: 999_999_999_999,
  description: "has to be a whole number of minor units (cents) from 1 to 999999999999",
} as const;

const currency = {
  type: "string",
  pattern: "^[A-Z]{3}$",
  description: "has to be an ISO 4217 code of three capital letters, like EUR",
} as const;

const token = {
  type: "string",
  pattern: "^tok_[a-z_]{1,60}$",
  description: "has to be one of the sandbox's test tokens, like tok_approved",
} as const;

const key = {
  type: "string",
  pattern: "^[\\x21-\\x7e]{1,255}$",
  description: "has to be 1 to 255 visible ASCII characters without spaces, sent once",
} as const;

const number = {
  type: "string",
  pattern: "^[0-9]{1,15}$",
  description: "has to be a whole number from 0, sent once",
} as const;

const rate = {
  type: "number",
  minimum: 0,
  maximum: 1,
  description: "has to be a number from 0 to 1",
} as const;

const durationMs = {
  type: "integer",
  minimum: 0,
  maximum: 86_400_000,
  description: "has to be whole milliseconds from 0 to 86400000, a day",
} as const;

const headers = {
  type: "object",
  required: ["idempotency-key"],
  properties: { "idempotency-key": key },
} as const;

function body(properties: Record<string, object>, required: readonly string[] = Object.keys(properties)) {
  return { type: "object", additionalProperties: false, properties, required };
}

function query(properties: Record<string, object>, required: readonly string[] = Object.keys(properties)) {
  return body(properties, required);
}

export const schemas = {
  authorise: { headers, body: body({ reference, amount, currency, token }) },
  captureOrRefund: { headers, body: body({ reference, amount, currency }, ["amount", "currency"]) },
  void: { headers, body: { ...body({ reference }, []), nullable: true } },
  byKey: { querystring: query({ key }) },
  byReference: { querystring: query({ reference }) },
  ledger: { querystring: query({ after: number, limit: number }, []) },
  faults: {
    body: body(
      {
        errorRate: rate,
        lostAnswerRate: rate,
        slowRate: rate,
        slowMs: durationMs,
        unavailable: { type: "boolean", description: "has to be true or false" },
        callsPerSecond: {
          type: "integer",
          minimum: 1,
          maximum: 1_000_000,
          nullable: true,
          description: "has to be a whole number from 1 to 1000000, or null for any number",
        },
        refuseConnectionsMs: durationMs,
        forgetKeysAfterMs: { ...durationMs, nullable: true },
      },
      [],
    ),
  },
};
