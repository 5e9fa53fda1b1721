import type { Transport } from "../transport.ts";
import type { Tracks } from "./tracks.ts";

const everyMs = 5_000;

/** Shows a service's progress in its brokers' own tools, now and then. Nobody waits for it, and what fails is not repeated. */
export class Progress {
  readonly #service: string;
  readonly #tracks: Tracks;
  readonly #transportOf: (topic: string) => Transport;
  #shownMs = 0;

  constructor(service: string, tracks: Tracks, transportOf: (topic: string) => Transport) {
    this.#service = service;
    this.#tracks = tracks;
    this.#transportOf = transportOf;
  }

  /** Called after a commit. */
  show(nowMs: number): void {
    if (nowMs - this.#shownMs < everyMs) return;
    this.#shownMs = nowMs;
    for (const [transport, tracks] of Map.groupBy(this.#tracks.all(), ({ topic }) => this.#transportOf(topic))) {
      const read = tracks.filter(({ logId }) => logId !== "");
      transport
        .report(
          this.#service,
          read.map((track) => track.row()),
        )
        .catch(() => undefined);
    }
  }
}
