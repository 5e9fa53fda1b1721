import type { LaneId, LaneRow, PositionRow, Recovered, Store } from "../store.ts";
import type { Transport } from "../transport.ts";
import type { World } from "../world.ts";
import type { BoundEffect } from "./bind-effects.ts";
import type { Caution } from "./end.ts";
import type { LaneLimits } from "./limits.ts";
import type { Routes } from "./routes.ts";

/** What one life of a lane begins with. */
export interface LaneOptions {
  readonly id: LaneId;
  readonly row: LaneRow;
  readonly recovered: Recovered;
  readonly positions: readonly PositionRow[];
  readonly alreadySaid: ReadonlySet<string>;
  /** The lane goes on under another source than the one that its outbox is stamped with. */
  readonly hasNewSource: boolean;
  readonly store: Store;
  readonly world: World;
  readonly routes: Routes;
  readonly effects: ReadonlyMap<string, BoundEffect>;
  readonly transportOf: (topic: string) => Transport;
  readonly partitions: number;
  readonly build: string;
  readonly limits: LaneLimits;
  readonly freeze: boolean;
  readonly caution: Caution | undefined;
  /** Runs one thing at a time in the whole process, so that what kills it has one name. */
  readonly alone: (work: () => Promise<void>) => Promise<void>;
}
