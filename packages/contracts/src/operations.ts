import { command, type Frozen } from "@waybill/messaging";
import { type } from "arktype";
import { id, text } from "./fields.ts";
import { letterKind } from "./letters.ts";
import { topics } from "./topics.ts";

// What operators have asked for stands in a topic of its own, so that it can be looked up who has done what and why. Nobody
// reads it: it is a book.

const serviceName = type(/^[a-z][a-z0-9-]{0,62}$/).describe("the name of a service");
const parkedKey = type("1 <= string <= 400");
const who = type("1 <= string <= 100").describe("the id of the key that was used, or: local");

const redriveSchema = type({
  "+": "reject",
  service: serviceName,
  by: who,
  "key?": parkedKey,
  "fingerprint?": "string <= 400",
  /** Whether the first input was given another body. */
  edited: "boolean",
  keys: "number.integer >= 0",
});

/** Parked keys shall be tried again: one, or so many of a fingerprint. */
export type ParkedRedrive = Frozen<typeof redriveSchema.infer>;

export const parkedRedrive = command<ParkedRedrive>("parked.redrive", {
  topic: topics.operations,
  schema: redriveSchema,
  subject: (body) => body.service,
  samples: [
    { service: "orders", by: "3f2a91c0", fingerprint: "Error message order.place", edited: false, keys: 12 },
    { service: "orders", by: "local", key: "o-1", edited: true, keys: 1 },
  ],
});

const discardSchema = type({
  "+": "reject",
  service: serviceName,
  by: who,
  key: parkedKey,
  seq: "number.integer >= 0",
  reason: text,
  /** What was given up: the input, where it came from, and what was wrong with it. */
  id: "string <= 400",
  type: "string <= 200",
  origin: "string <= 1000",
  fingerprint: "string <= 400",
});

/** One parked input shall be given up for good. */
export type ParkedDiscard = Frozen<typeof discardSchema.infer>;

export const parkedDiscard = command<ParkedDiscard>("parked.discard", {
  topic: topics.operations,
  schema: discardSchema,
  subject: (body) => body.service,
  samples: [
    {
      service: "inventory",
      by: "3f2a91c0",
      key: "o-1",
      seq: 7,
      reason: "Counted by hand.",
      id: "2f0d9c1e",
      type: "shipment.dispatched",
      origin: '{"topic":"shipments","partition":3,"offset":12}',
      fingerprint: "Error message shipment.dispatched",
    },
  ],
});

const settleSchema = type({
  "+": "reject",
  orderId: id,
  operation: "'authorise' | 'capture' | 'void' | 'refund'",
  outcome: "'done' | 'refused'",
  by: who,
  reason: text,
});

/** What a person has found out of a payment shall count. */
export type PaymentSettle = Frozen<typeof settleSchema.infer>;

export const paymentSettle = command<PaymentSettle>("payment.settle", {
  topic: topics.operations,
  schema: settleSchema,
  subject: (body) => body.orderId,
  samples: [
    {
      orderId: "0198c2a4-5f00-7000-8000-000000000001",
      operation: "capture",
      outcome: "done",
      by: "3f2a91c0",
      reason: "Seen in the gateway's own list.",
    },
  ],
});

const letterSchema = type({
  "+": "reject",
  orderId: id,
  letter: letterKind,
  /** Whether it shall go out again, or was dealt with otherwise. */
  outcome: "'again' | 'dismissed'",
  by: who,
  reason: text,
});

/** What a person has decided of a letter that did not go out. */
export type LetterSettle = Frozen<typeof letterSchema.infer>;

export const letterSettle = command<LetterSettle>("letter.settle", {
  topic: topics.operations,
  schema: letterSchema,
  subject: (body) => body.orderId,
  samples: [
    {
      orderId: "0198c2a4-5f00-7000-8000-000000000001",
      letter: "shipped",
      outcome: "dismissed",
      by: "3f2a91c0",
      reason: "Told on the phone.",
    },
  ],
});

const resumeSchema = type({
  "+": "reject",
  service: serviceName,
  lane: "number.integer >= 0",
  by: who,
  reason: text,
  /** Why it had stopped. */
  stopped: "string",
});

/** A lane that has stopped shall go on. */
export type LaneResume = Frozen<typeof resumeSchema.infer>;

export const laneResume = command<LaneResume>("lane.resume", {
  topic: topics.operations,
  schema: resumeSchema,
  subject: (body) => body.service,
  samples: [{ service: "orders", lane: 0, by: "local", reason: "Mended.", stopped: "PARKING_FULL: too many" }],
});

const forgetSchema = type({ "+": "reject", service: serviceName, by: who, reason: text });

/** All that is kept of a service that was taken out shall be forgotten. */
export type ServiceForget = Frozen<typeof forgetSchema.infer>;

export const serviceForget = command<ServiceForget>("service.forget", {
  topic: topics.operations,
  schema: forgetSchema,
  subject: (body) => body.service,
  samples: [{ service: "loyalty", by: "local", reason: "Loyalty has gone to another system." }],
});

const lossSchema = type({ "+": "reject", service: serviceName, topic: "1 <= string <= 63", by: who, reason: text });

/** A service shall go on in a topic without what is missing from it. */
export type LossAccept = Frozen<typeof lossSchema.infer>;

export const lossAccept = command<LossAccept>("loss.accept", {
  topic: topics.operations,
  schema: lossSchema,
  subject: (body) => body.service,
  samples: [{ service: "inventory", topic: "orders", by: "local", reason: "Reconciled by hand." }],
});
