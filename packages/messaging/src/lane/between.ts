import { WaybillError } from "../errors.ts";
import type { LaneId } from "../store.ts";
import { deferred } from "./wake.ts";

/** What people ask of a lane, done by the lane's own hand between two batches. */
export class Between {
  readonly #id: LaneId;
  readonly #asked: (() => Promise<void>)[] = [];

  constructor(id: LaneId) {
    this.#id = id;
  }

  /** Resolves with what `act` does once its turn has come. Rejects with NOT_OWNER when the lane has ended by then. */
  ask<T>(act: () => Promise<T>, hasEnded: () => boolean): Promise<T> {
    const done = deferred<T>();
    this.#asked.push(async () => {
      const { lane, service } = this.#id;
      if (hasEnded()) done.reject(new WaybillError("NOT_OWNER", `Lane ${lane} of ${service} has ended.`));
      else await act().then(done.resolve, done.reject);
    });
    return done.promise;
  }

  /** Does what was asked so far. */
  async turn(): Promise<void> {
    for (const one of this.#asked.splice(0)) await one();
  }
}
