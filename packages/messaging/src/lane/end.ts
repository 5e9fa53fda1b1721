import { messageOf, WaybillError } from "../errors.ts";

/** What the next life of a lane must be careful of. */
export interface Caution {
  readonly batchInputs: number;
  /** Inputs to set aside unrun, by id, with the reason. */
  readonly suspects: ReadonlyMap<string, WaybillError>;
}

/** Why a life of a lane ended. `reset`: claim it again at once. `yielded`: somebody else may have it. */
export type LaneEnd =
  | { readonly kind: "closed" }
  | { readonly kind: "reset"; readonly error: WaybillError; readonly caution: Caution | undefined }
  | { readonly kind: "yielded"; readonly error: WaybillError }
  | { readonly kind: "stopped"; readonly error: WaybillError };

/** What a failure means for the lane: most pass, some want another owner, a few want a person. */
export function endOf(error: unknown, caution: Caution | undefined): LaneEnd {
  const known =
    error instanceof WaybillError ? error : new WaybillError("COMMIT_UNKNOWN", messageOf(error), { cause: error });
  switch (known.code) {
    case "CLOSED":
      return { kind: "closed" };
    case "LEVEL_TOO_LOW":
    case "NOT_OWNER":
      return { kind: "yielded", error: known };
    case "PARKING_FULL":
    case "MOST_KEYS_FAIL":
    case "STATE_CONFLICT":
      return { kind: "stopped", error: known };
    default:
      return { kind: "reset", error: known, caution };
  }
}

/** After a refused batch the next life runs half as much at a time, until it is the one input; that one is set aside. */
export function cautionAfter(ids: readonly string[], error: WaybillError): Caution {
  if (ids.length > 1) return { batchInputs: Math.ceil(ids.length / 2), suspects: new Map() };
  const suspects = new Map<string, WaybillError>();
  for (const id of ids) suspects.set(id, error);
  return { batchInputs: 1, suspects };
}
