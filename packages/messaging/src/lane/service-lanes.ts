import { WaybillError } from "../errors.ts";
import { reads } from "../service.ts";
import type { LaneId, LaneRow, Recovered } from "../store.ts";
import type { Running, WorkerOptions } from "../worker.ts";
import { bindEffects } from "./bind-effects.ts";
import type { Caution } from "./end.ts";
import { partitionsOf, type Hosted } from "./hosted.ts";
import { Lane } from "./lane.ts";
import type { LaneOptions } from "./lane-options.ts";
import { comparePositions, readTail, type Tail } from "./resume.ts";
import { rename } from "./rewound.ts";
import { routesOf } from "./routes.ts";
import { deathsMax, suspectIn } from "./suspect.ts";

type Options = Omit<WorkerOptions, "limits"> & Pick<LaneOptions, "limits" | "alone">;

/** The lanes of a service. Throws CONTRACT_INVALID when it cannot have so many. */
export function serviceLanes({ service, lanes }: Running, options: Options, signal: AbortSignal): Hosted {
  const { types, adapters, transportOf, partitions, store, world } = options;
  const lanesMax = Math.min(service.lanesMax ?? partitions, partitions);
  if (!Number.isInteger(lanes) || lanes < 1 || lanes > lanesMax) {
    throw new WaybillError(
      "CONTRACT_INVALID",
      `Service "${service.name}" can have 1 to ${lanesMax} lanes, not ${lanes}.`,
    );
  }
  const routes = routesOf(service, types);
  const sends = new Set(Array.from(routes.sends, ({ topic }) => topic.name));
  const effects = bindEffects(service, adapters);
  const topics = new Map(reads(service).map((topic) => [topic, transportOf(topic)]));
  return {
    name: service.name,
    lanes,
    level: service.level,
    async open(id, row, caution) {
      const recovered = await store.recover(id);
      const outgoing = [...sends].filter((topic) => !store.hosts(topic));
      const [compared, tail] = await Promise.all([
        comparePositions(topics, partitionsOf(id, partitions), recovered.positions),
        readTail(row, recovered, outgoing, transportOf, signal),
      ]);
      for (const where of compared.rewound)
        world.log("warn", "A position is in doubt; its log is read again from the start.", { ...id, where });
      const current = tail.rewound ? await rename(store, world, id, row, [...tail.said]) : row;
      const lane = open(id, current, recovered, compared.positions, tail, caution);
      lane.start(tail.lastN, compared.passed);
      return lane;
    },
  };

  function open(
    id: LaneId,
    row: LaneRow,
    recovered: Recovered,
    positions: Recovered["positions"],
    tail: Tail,
    caution: Caution | undefined,
  ): Lane {
    const { build, limits, freeze = false, alone } = options;
    return new Lane({
      id,
      row,
      recovered,
      positions,
      alreadySaid: new Set([...recovered.said, ...tail.said]),
      hasNewSource: tail.rewound,
      store,
      world,
      routes,
      effects,
      transportOf,
      partitions,
      build,
      limits,
      freeze,
      caution: withSuspect(caution, row),
      alone,
    });
  }
}

/** An input of which process after process died is set aside unrun. */
function withSuspect(caution: Caution | undefined, row: LaneRow): Caution | undefined {
  const suspect = suspectIn(row.suspect);
  if (suspect === undefined || suspect.deaths < deathsMax) return caution;
  const { id, deaths } = suspect;
  const suspects = new Map(caution?.suspects);
  const text = `${deaths} processes died one after the other while they handled ${id} alone; it was set aside unrun.`;
  suspects.set(id, new WaybillError("INPUT_FATAL", text));
  return { batchInputs: caution?.batchInputs ?? Number.MAX_SAFE_INTEGER, suspects };
}
