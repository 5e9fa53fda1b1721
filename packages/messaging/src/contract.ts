import { WaybillError } from "./errors.ts";
import { checked, validatorOf, type Schema, type Validator } from "./schema.ts";

/** A topic as its contract declares it. How many partitions it has is the deployment's choice, the same for all. */
export interface Topic {
  readonly name: string;
  /** A door takes messages without a stamp, from anybody; a stamped topic only from `writers`. */
  readonly door: boolean;
  /** The services that may send to it; a door's own reader is always one. */
  readonly writers: readonly string[];
  /** How a door drops repeats: by the entity's own state, or by (producer, id) within a window. */
  readonly dedupeMs: number | undefined;
  /** The largest message, body and attributes, in bytes. */
  readonly bytesMax: number;
}

/**
 * How a topic is declared: a door, or the services that alone write to it; how long a door knows a repeat (`dedupeMs`),
 * and how large a message may be (`bytesMax`).
 */
export interface TopicOptions {
  readonly door?: boolean;
  readonly writers?: readonly string[];
  readonly dedupeMs?: number;
  readonly bytesMax?: number;
}

const topicName = /^[a-z][a-z0-9-]{0,62}$/;

/** Declares a topic. Throws CONTRACT_INVALID when the name will not do, or it is neither a door nor has writers. */
export function topic(name: string, options: TopicOptions): Topic {
  if (!topicName.test(name)) {
    throw new WaybillError(
      "CONTRACT_INVALID",
      `Topic "${name}": a name is lower-case letters, digits and dashes, at most 63.`,
    );
  }
  const door = options.door ?? false;
  if (!door && (options.writers ?? []).length === 0) {
    throw new WaybillError("CONTRACT_INVALID", `Topic "${name}" is stamped and has no writers.`);
  }
  if (options.dedupeMs !== undefined && !door) {
    throw new WaybillError("CONTRACT_INVALID", `Topic "${name}": only a door drops repeats by (producer, id).`);
  }
  return {
    name,
    door,
    writers: options.writers ?? [],
    dedupeMs: options.dedupeMs,
    bytesMax: options.bytesMax ?? 1_000_000,
  };
}

/** Lifts a body of one version to the next. */
export type Upcast = (older: never) => unknown;

/** Something with versions: its bodies are lifted step by step to the current one when they are read. */
export interface Versioned {
  readonly version: number;
  /** By the version they lift from: `{ 1: (v1) => v2, 2: (v2) => v3 }`. */
  readonly upcasts: Readonly<Record<number, Upcast>>;
}

/** A kind of message: what it is called, where it is said, what its body is, and what it is about. */
export interface MessageType<T> extends Versioned {
  readonly kind: "event" | "command";
  /** `order.placed`. */
  readonly name: string;
  readonly topic: Topic;
  readonly schema: Schema<T>;
  readonly validate: Validator<T>;
  /** The entity that the message is about. */
  subject(body: T): string;
  /** The routing key; the subject unless stated. */
  key(body: T): string;
  /** Bodies that fit, for documents and tests. */
  readonly samples: readonly T[];
}

/** Any message type, where its body's type does not matter. */
// oxlint-disable-next-line no-explicit-any -- a body's type is both read and written; only any fits all of them
export type AnyMessageType = MessageType<any>;

/**
 * How a kind of message is declared. `key` chooses its partition, the subject unless stated; every sample must fit the
 * schema.
 */
export interface MessageOptions<T> {
  readonly topic: Topic;
  readonly schema: Schema<T>;
  readonly subject: (body: T) => string;
  readonly key?: (body: T) => string;
  readonly version?: number;
  readonly upcasts?: Readonly<Record<number, Upcast>>;
  readonly samples: readonly NoInfer<T>[];
}

/** Something that happened, named in the past tense: `order.placed`. */
export function event<T>(name: string, options: MessageOptions<T>): MessageType<T> {
  return messageType("event", name, options);
}

/** Something that is asked for, named in the imperative: `order.place`. */
export function command<T>(name: string, options: MessageOptions<T>): MessageType<T> {
  return messageType("command", name, options);
}

const messageName = /^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+$/;

function messageType<T>(kind: "event" | "command", name: string, options: MessageOptions<T>): MessageType<T> {
  if (!messageName.test(name)) {
    throw new WaybillError(
      "CONTRACT_INVALID",
      `Message "${name}": a type is dotted lower-case words, as order.placed.`,
    );
  }
  const type: MessageType<T> = {
    kind,
    name,
    topic: options.topic,
    schema: options.schema,
    validate: validatorOf(options.schema),
    subject: options.subject,
    key: options.key ?? options.subject,
    samples: options.samples,
    ...versions(`Message "${name}"`, options),
  };
  for (const sample of options.samples) {
    checked(type, sample, "CONTRACT_INVALID", "A sample of");
  }
  return type;
}

/** The version and upcasts of a declaration; throws when a step is missing. */
export function versions(
  what: string,
  options: { readonly version?: number; readonly upcasts?: Readonly<Record<number, Upcast>> },
): Versioned {
  const version = options.version ?? 1;
  const upcasts = options.upcasts ?? {};
  for (let from = 1; from < version; from++) {
    if (upcasts[from] === undefined) {
      throw new WaybillError(
        "CONTRACT_INVALID",
        `${what} is at version ${version} but has no upcast from version ${from}.`,
      );
    }
  }
  return { version, upcasts };
}

/** A body of `from` lifted to the current version. Throws LEVEL_TOO_LOW when it is newer than this build. */
export function upcast(what: string, type: Versioned, from: number, body: unknown): unknown {
  if (from > type.version) {
    throw new WaybillError("LEVEL_TOO_LOW", `${what} has version ${from}; this build knows ${type.version}.`, {
      details: { version: from, known: type.version },
    });
  }
  let lifted = body;
  for (let step = from; step < type.version; step++) {
    lifted = type.upcasts[step]!(lifted as never);
  }
  return lifted;
}
