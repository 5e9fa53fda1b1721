import type { LaneId, LaneRow } from "../store.ts";
import type { Caution, LaneEnd } from "./end.ts";
import type { LaneStatus } from "./status.ts";

/** One life of a lane, whatever its work is. */
export interface LaneLife {
  readonly id: LaneId;
  /** Resolves when this life is over, with everything of it closed. */
  readonly ended: Promise<LaneEnd>;
  /** The input that it named last before it was handled alone. */
  readonly named: string | undefined;
  readonly counts: LaneStatus["counts"];
  /** As the claim gave it. */
  readonly epoch: number;
  /** The newest of its commits that is durable, by the lane's `batch`. */
  readonly durableBatch: number;
  /** Ends this life at the next pause between batches. */
  close(): void;
  /** Ends this life at once: the lane may already be somebody else's. */
  lose(why: string): void;
  status(): LaneStatus;
  /** Each is false when this lane has no such thing. */
  redrive(key: string, body?: string): Promise<boolean>;
  discard(key: string, seq: number): Promise<boolean>;
  acceptLoss(topic: string): Promise<boolean>;
}

/** Something that a process runs lanes of. */
export interface Hosted {
  readonly name: string;
  readonly lanes: number;
  readonly level: number;
  /** Begins a life of a lane that was claimed; `row` is as the claim gave it. */
  open(id: LaneId, row: LaneRow, caution: Caution | undefined): Promise<LaneLife>;
}

/** The partitions that a lane owns. */
export function partitionsOf({ lane, lanes }: LaneId, partitions: number): number[] {
  return Array.from({ length: partitions }, (_, index) => index).filter((index) => index % lanes === lane);
}
