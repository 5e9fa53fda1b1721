import { partitionsOf, type Hosted } from "../lane/hosted.ts";
import { comparePositions } from "../lane/resume.ts";
import type { PositionRow } from "../store.ts";
import type { Transport } from "../transport.ts";
import type { WorkerOptions } from "../worker.ts";
import { MirrorLane } from "./mirror-lane.ts";
import { copiedSoFar } from "./target.ts";

/** A topic that is copied, message by message, to another broker under the same name. */
export interface Mirroring {
  readonly topic: string;
  readonly from: Transport;
  readonly to: Transport;
}

/** The service that a mirror's progress is kept under. */
export function mirrorName({ topic, to }: Mirroring): string {
  return `mirror:${topic}:${to.name}`;
}

/** A mirror runs as a lane of its own: of many processes one has it, and another takes over when that one dies. */
export function mirrorLanes(
  mirroring: Mirroring,
  { store, world, partitions }: Pick<WorkerOptions, "store" | "world" | "partitions">,
  signal: AbortSignal,
): Hosted {
  const { topic, from, to } = mirroring;
  return {
    name: mirrorName(mirroring),
    lanes: 1,
    level: 1,
    async open(id, row) {
      const recovered = await store.recover(id);
      const owned = partitionsOf(id, partitions);
      const [compared, copied] = await Promise.all([
        comparePositions(new Map([[topic, from]]), owned, recovered.positions),
        copiedSoFar(to, topic, recovered.sent, signal),
      ]);
      for (const where of compared.rewound)
        world.log("warn", "A mirror reads its topic again from the start.", { ...id, where });
      const positions = compared.positions.map((row) => (copied.doubtful.has(row.partition) ? fromStart(row) : row));
      return new MirrorLane({ id, row, mirroring, store, world, positions, copied, blocked: compared.passed });
    },
  };
}

/** Where the copy is older than its progress says, what it lacks is read again; what it has is dropped by its marks. */
function fromStart({ topic, partition }: PositionRow): PositionRow {
  return { topic, partition, logId: "", nextOffset: 0, marks: {} };
}
