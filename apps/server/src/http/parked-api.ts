import { text } from "@waybill/contracts";
import { type } from "arktype";
import type { Api } from "./document/api.ts";
import { jsonSchema } from "./document/json-schema.ts";
import { inputsQuery, keysQuery, parkedShapes, redriveBody } from "./parked-shapes.ts";

const tag = "parked";

/** Either a key or a fingerprint; another body for one key only. */
const redriveSchema = {
  ...jsonSchema(redriveBody),
  oneOf: [{ required: ["key"] }, { required: ["fingerprint"] }],
  dependentRequired: { body: ["key"] },
};

export const parkedReading: Api = {
  tag,
  summary: "What is set aside, by how it failed",
  role: "operator",
  answers: { 200: { text: "Groups, the oldest first.", schema: parkedShapes.groups } },
};

export const keysReading: Api = {
  tag,
  summary: "The keys of a service that are set aside, the oldest first",
  role: "operator",
  query: jsonSchema(keysQuery),
  answers: { 200: { text: "A page; `next` is the path of the one after it.", schema: parkedShapes.keys } },
  problems: ["not-found"],
};

export const inputsReading: Api = {
  tag,
  summary: "A key with the inputs that wait behind it, in their order",
  role: "operator",
  query: jsonSchema(inputsQuery),
  answers: { 200: { text: "A page of them.", schema: parkedShapes.inputs } },
  problems: ["not-found"],
};

export const redriving: Api = {
  tag,
  summary: "Try a key again, or those of a fingerprint, the oldest first",
  text: "At most `limit` keys a request; `next` goes into `after` of the one that follows. With `dryRun` the handler of each key's first input is run on the states as they are, and nothing is kept. `body` stands in for the first input's own and must fit its schema.",
  role: "operator",
  body: { schema: redriveSchema, example: { fingerprint: "Error message order.place", limit: 10 } },
  answers: { 200: { text: "What came of it, or would.", schema: parkedShapes.redriven } },
  problems: ["not-found"],
};

export const discarding: Api = {
  tag,
  summary: "Give up one parked input for good",
  text: "Who did it, what it was and why is written to the topic `operations` first.",
  role: "operator",
  body: { schema: jsonSchema(type({ "+": "reject", reason: text })), example: { reason: "Counted by hand." } },
  answers: { 200: { text: "It is given up.", schema: parkedShapes.discarded } },
  problems: ["not-found", "parked-elsewhere"],
};
