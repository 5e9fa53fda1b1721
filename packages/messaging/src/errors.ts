/**
 * Everything that can go wrong in the core, by code. Match on `code`, never on the class.
 * Each code is explained in docs/errors.md; a test holds the two together.
 */
export const errorCodes = {
  // What a caller or an author did wrong. Never retried.
  CONTRACT_INVALID: "A topic, message, state, timer, effect or service is declared wrongly.",
  MESSAGE_INVALID: "A message does not fit its schema.",
  MESSAGE_UNREADABLE: "The bytes of a message are not an envelope with a JSON body in UTF-8.",
  MESSAGE_UNKNOWN: "No service of this build knows the message's type on this topic.",
  MESSAGE_TOO_LARGE: "A message is larger than its topic allows.",
  MESSAGE_UNSTAMPED: "A stamped topic holds a message without a stamp: somebody else wrote to it.",
  KEY_INVALID: "A key, id or subject is empty, too long, or has control characters.",
  TOPIC_UNKNOWN: "A topic is not declared on this transport.",
  TOPIC_FOREIGN: "A service sends to a topic whose contract does not name it as a writer.",
  TOPIC_MISMATCH: "A topic exists with settings other than those declared.",
  STATE_ELSEWHERE: "A handler touched a state that another lane owns.",
  STATE_UNDECLARED: "A handler saved a state that its rule did not declare.",
  EFFECT_UNSAFE: "An effect that moves money has an adapter that cannot repeat a call safely.",
  EFFECT_UNBOUND: "A service uses an effect for which no adapter is given.",
  // What a lane meets. It stops, loudly, and a person or a deploy decides.
  GAP: "A message of a source's chain is missing.",
  RETENTION_PASSED: "The log no longer holds the messages that a lane has yet to read.",
  STATE_CONFLICT: "Somebody else wrote a state that this lane owns.",
  PARKING_FULL: "Too many keys, or too many inputs of one key, are parked.",
  INPUT_FATAL: "The process died while it was handling this input alone.",
  FORGOTTEN: "What a service has kept was being forgotten, and that was cut off.",
  MOST_KEYS_FAIL: "Most keys fail: an outage or a bad build, not an exception.",
  // What passes by itself, or after the lane has read its row again.
  LOG_CHANGED: "A log is not the one that a position was taken from.",
  STORE_REWOUND: "The log holds messages of this lane that its database does not know.",
  LEVEL_TOO_LOW: "A newer build has written here; this one must not.",
  NOT_OWNER: "The lane belongs to another member, or the batch is already committed.",
  COMMIT_UNKNOWN: "A commit's outcome is not known; the lane reads its row again.",
  BATCH_REFUSED: "The database refuses something in this batch, and would refuse it again.",
  STORE_UNAVAILABLE: "The database cannot be reached or cannot write now.",
  TRANSPORT_UNAVAILABLE: "The broker cannot be reached or cannot store now.",
  BACKLOG_FULL: "A bound was reached; try again when the backlog is smaller.",
  CLOSED: "The thing that was called is closed.",
} as const;

/** A code of docs/errors.md. */
export type ErrorCode = keyof typeof errorCodes;

const retryableCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "STORE_UNAVAILABLE",
  "TRANSPORT_UNAVAILABLE",
  "BACKLOG_FULL",
  "COMMIT_UNKNOWN",
]);

/** What everything here throws when something is wrong that has a name: a code, and the facts beside it. */
export class WaybillError extends Error {
  override readonly name = "WaybillError";
  readonly code: ErrorCode;
  /** Facts for logs and problem documents; never secrets, never personal data. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: { details?: Record<string, unknown>; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }

  /** True when the same call may succeed later without anybody changing anything. */
  get retryable(): boolean {
    return retryableCodes.has(this.code);
  }
}

/** The error's code, or undefined for an error that is not ours. */
export function codeOf(error: unknown): ErrorCode | undefined {
  return error instanceof WaybillError ? error.code : undefined;
}

/** A short, one-line text for any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
