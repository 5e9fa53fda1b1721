import type { Line } from "@waybill/simulator";

const kept = 400;

/** What the processes had to complain of, the first of it, and what of it should never be written. */
export class Lines {
  readonly all: Line[] = [];
  /** Lines that tell of a broken rule, whatever else went wrong. */
  readonly alarming: Line[] = [];

  readonly add = (line: Line): void => {
    if (line.level === "debug" || line.level === "info") return;
    if (this.all.length < kept) this.all.push(line);
    const { code } = line.facts;
    if (code === "STATE_CONFLICT" || code === "PARKING_FULL" || code === "MOST_KEYS_FAIL") this.alarming.push(line);
  };
}
