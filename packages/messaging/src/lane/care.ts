import { WaybillError } from "../errors.ts";
import type { LaneOptions } from "./lane-options.ts";
import { suspectIn, suspectText } from "./suspect.ts";

/** How careful a life of a lane is with what the one before it ended with, until it has got past that. */
export class Care {
  readonly #options: LaneOptions;
  #named: string | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** The most inputs of the next batch. @param handled how many inputs this life has handled. */
  batchInputs(handled: number): number {
    const { limits, caution } = this.#options;
    if (this.isAlone(handled)) return 1;
    return this.#isYoung(handled) ? Math.min(limits.batchInputs, caution?.batchInputs ?? Infinity) : limits.batchInputs;
  }

  /** After a death with a suspect, or claims without progress, inputs are handled alone, each named beforehand. */
  isAlone(handled: number): boolean {
    const { tries, suspect } = this.#options.row;
    return (tries >= 3 || suspect !== undefined) && this.#isYoung(handled);
  }

  #isYoung(handled: number): boolean {
    return handled < 2 * this.#options.limits.batchInputs;
  }

  /** The input that was named last before it was handled alone, as the lane's row has it. */
  get named(): string | undefined {
    return this.#named;
  }

  /** Names an input in the lane's row. Throws NOT_OWNER when the lane is somebody else's. */
  async name(inputId: string): Promise<void> {
    const { id, row, store } = this.#options;
    const before = suspectIn(row.suspect);
    const deaths = before?.id === inputId ? before.deaths + 1 : 1;
    this.#named = suspectText({ id: inputId, deaths });
    if (!(await store.mark(id, row.epoch, { suspect: this.#named }))) {
      throw new WaybillError("NOT_OWNER", `Lane ${id.lane} of ${id.service} was taken over.`);
    }
  }
}
