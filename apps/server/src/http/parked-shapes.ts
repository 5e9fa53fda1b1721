import { type } from "arktype";
import { jsonSchema } from "./document/json-schema.ts";
import { limitTo } from "./page-limit.ts";

const whole = type("number.integer >= 0");
const fingerprint = type("1 <= string <= 400");
const place = type(/^[A-Za-z0-9_-]{1,1000}$/).describe("where the page before ended, as its `next` says");
const limit = limitTo(100);

export const keysQuery = type({
  "+": "reject",
  "pretty?": "string",
  "fingerprint?": fingerprint,
  "after?": place,
  "limit?": limit,
});

export const inputsQuery = type({
  "+": "reject",
  "pretty?": "string",
  "after?": type(/^\d{1,15}$/).describe("the `seq` of the last input that was seen"),
});

export const redriveBody = type({
  "+": "reject",
  "key?": "1 <= string <= 400",
  "fingerprint?": fingerprint,
  "dryRun?": "boolean",
  "limit?": "1 <= number.integer <= 100",
  "after?": place,
  /** For the first input of a key, in place of its own. */
  "body?": "object",
});

const input = type({
  seq: whole,
  kind: "'message' | 'timer' | 'result' | 'command'",
  type: "string",
  id: "string",
  schema: whole,
  at: "string",
  origin: "object",
  "body?": "unknown",
});

const key = type({
  key: "string",
  partition: whole,
  fingerprint: "string",
  error: "string",
  since: "string",
  attempts: whole,
  build: "string",
  "nextTry?": type("string").describe("when it is tried again by itself"),
});

const group = type({
  service: "string",
  fingerprint: "string",
  keys: whole,
  waiting: whole.describe("how many are tried again by themselves"),
  oldestAt: "string",
  newestAt: "string",
  attemptsMax: whole,
  builds: "string[]",
  sample: type({ key: "string", error: "string", "input?": input }),
});

const result = type({
  key: "string",
  "outcome?": "'done' | 'failed' | 'waits' | 'queued' | 'elsewhere'",
  "error?": "string",
  "type?": "string",
  "id?": "string",
  "would?": type("object").describe("what the handler would do: what it saves, sends, calls and sets"),
});

export const parkedShapes = {
  groups: jsonSchema(type({ groups: group.array() })),
  keys: jsonSchema(type({ keys: key.array(), "next?": "string" })),
  inputs: jsonSchema(key.merge({ inputs: input.array(), "next?": "string" })),
  redriven: jsonSchema(type({ dryRun: "boolean", results: result.array(), "next?": "string" })),
  discarded: jsonSchema(type({ discarded: input, left: whole })),
} as const;
