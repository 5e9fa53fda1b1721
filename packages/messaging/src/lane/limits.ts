import type { InboxLimits } from "./inbox.ts";
import type { ParkingLimits } from "./parking.ts";
import type { SenderLimits } from "./sender.ts";

/** The bounds of a lane; docs/architecture.md says what happens at each. */
export interface LaneLimits {
  /** Inputs and bytes of one batch. */
  readonly batchInputs: number;
  readonly batchBytes: number;
  /** States that a lane keeps in memory before the older half is forgotten, and their size as JSON. */
  readonly cachedStates: number;
  readonly cachedBytes: number;
  readonly inbox: InboxLimits;
  readonly sender: SenderLimits;
  readonly parking: ParkingLimits;
  /** How long confirmed messages stay in the outbox, to be said again if their broker lost them. */
  readonly outboxGraceMs: number;
}

/** The bounds of a lane unless others are given. */
export const laneLimits: LaneLimits = {
  batchInputs: 1_024,
  batchBytes: 2_097_152,
  cachedStates: 4_096,
  cachedBytes: 1_048_576,
  inbox: { messagesPerTopic: 2_048, bytesPerTopic: 2_097_152 },
  sender: { messages: 10_000, bytes: 8_388_608, append: 1_000 },
  parking: { keysMax: 1_024, inputsMax: 1_024 },
  outboxGraceMs: 60_000,
};
