import type { Wave } from "./wave.ts";

/** One thing that is to be written whole: a batch, an append, a claim. */
export interface Job {
  /** How much of a wave it fills: its inputs, or its messages. */
  readonly inputs: number;
  /** Looks whether it may be done, takes what it needs (numbers, offsets) and changes what is held in memory. Throws a
   *  WaybillError to refuse, and has then changed nothing; false when there is nothing to write. Called once, in the
   *  order in which jobs came. */
  enter(): boolean;
  /** Puts its changes into a wave. Called again, on a wave of its own, when the wave it was part of is refused. */
  write(wave: Wave): void;
  /** Its changes are visible to whoever shares this file's fate. */
  applied(): void;
  durable(): void;
  /** Neither of the two, or not any more. */
  failed(error: Error): void;
}
