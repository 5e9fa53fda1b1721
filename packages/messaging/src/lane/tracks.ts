import type { Position } from "../message.ts";
import type { PositionRow } from "../store.ts";
import type { PartitionBounds } from "../transport.ts";
import { Track } from "./track.ts";
import type { Work } from "./work.ts";

/** How far a lane has come in each partition of each topic that it reads. */
export class Tracks {
  /** By topic, then by partition. */
  readonly #tracks = new Map<string, Track[]>();

  constructor(positions: readonly PositionRow[]) {
    for (const position of positions) {
      const ofTopic = this.#tracks.get(position.topic) ?? [];
      ofTopic[position.partition] = new Track(position);
      this.#tracks.set(position.topic, ofTopic);
    }
  }

  /** The track of a partition that is the lane's. */
  get(topic: string, partition: number): Track {
    return this.#tracks.get(topic)![partition]!;
  }

  all(): Track[] {
    return [...this.#tracks.values()].flatMap((ofTopic) => ofTopic.filter(Boolean));
  }

  /** Goes on in a topic without what is missing from it. */
  skipLoss(topic: string, bounds: readonly PartitionBounds[], work: Pick<Work, "moved">): void {
    for (const track of this.#tracks.get(topic)!.filter(Boolean)) {
      track.skipLoss(bounds[track.partition]!);
      work.moved(track);
    }
  }

  /** Takes over positions that moved without a message, as far as they are ahead. */
  move(positions: readonly Position[], work: Pick<Work, "moved">): void {
    for (const position of positions) {
      const track = this.get(position.topic, position.partition);
      // A broker that was away at the claim had not told which log this is.
      const isNamed = track.logId !== "";
      if (track.broken || (isNamed && position.nextOffset <= track.nextOffset)) continue;
      if (!isNamed) track.logId = position.logId;
      track.nextOffset = Math.max(track.nextOffset, position.nextOffset);
      work.moved(track);
    }
  }
}
