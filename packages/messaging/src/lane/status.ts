import type { LaneId } from "../store.ts";
import type { EffectsRunner } from "./effects-runner.ts";
import type { Inbox } from "./inbox.ts";
import type { Parking } from "./parking.ts";
import type { Sender } from "./sender.ts";
import type { Tracks } from "./tracks.ts";

/** What a lane has done since its life began. */
export interface LaneCounts {
  batches: number;
  inputs: number;
  messages: number;
  parked: number;
  passedOn: number;
}

/** How a lane is, for operators. */
export interface LaneStatus extends LaneId {
  readonly epoch: number;
  /** Lane time in milliseconds. */
  readonly timeMs: number;
  readonly positions: readonly { readonly topic: string; readonly partition: number; readonly nextOffset: number }[];
  /** Topics in which it reads no further, with the reason. */
  readonly blocked: readonly { readonly topic: string; readonly code: string; readonly reason: string }[];
  /** Topics whose broker cannot be reached. */
  readonly away: readonly string[];
  readonly parkedKeys: number;
  /** Effects that wait or are under way, as far as they are in memory. */
  readonly effects: number;
  /** Queues of effects whose calls are held up, because those of several entities failed in a row. */
  readonly heldQueues: readonly string[];
  /** Messages committed and not confirmed, as far as they are in memory. */
  readonly outbox: number;
  readonly counts: Readonly<LaneCounts>;
}

/** What the parts of a lane say of themselves. */
export interface LaneParts {
  readonly tracks: Tracks;
  readonly inbox: Inbox;
  readonly parking: Parking;
  readonly effects: EffectsRunner;
  readonly sender: Sender;
  readonly counts: LaneCounts;
}

export function statusOf(id: LaneId, epoch: number, timeMs: number, of: LaneParts): LaneStatus {
  return {
    ...id,
    epoch,
    timeMs,
    positions: of.tracks.all().map(({ topic, partition, nextOffset }) => ({ topic, partition, nextOffset })),
    blocked: of.inbox.blocked.map(({ topic, error }) => ({ topic, code: error.code, reason: error.message })),
    away: of.inbox.away,
    parkedKeys: of.parking.size,
    effects: of.effects.waiting,
    heldQueues: of.effects.heldUp,
    outbox: of.sender.waiting,
    counts: of.counts,
  };
}
