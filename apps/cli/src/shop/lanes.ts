import { laneViews, shopServices, type LaneView } from "@waybill/server";
import { refused, type Found } from "./found.ts";
import { table } from "../table.ts";

export interface Lanes {
  /** Whether some process works on it. */
  readonly running: boolean;
  readonly lanes: readonly LaneView[];
}

/** How far every lane is, as its server says, or by its folder when no server can be asked. */
export async function readLanes(found: Found): Promise<Lanes> {
  const { isRunning } = found;
  const told = (await found.get("/lanes").catch(refused)) as { lanes: readonly LaneView[] } | undefined;
  if (told !== undefined) return { running: true, lanes: told.lanes };
  await using engine = await found.open();
  const services = shopServices();
  const lanes = await laneViews(engine, services);
  // A process that was killed leaves its name for a while; nobody runs the lanes of its folder all the same.
  if (isRunning === false) return { running: false, lanes: lanes.map((lane) => ({ ...lane, owner: undefined })) };
  return { running: isRunning ?? lanes.some(({ owner }) => owner !== undefined), lanes };
}

const head = ["service", "lane", "topic", "position", "end", "lag", "lag s", "parked", ""];
const numbers = new Set([1, 3, 4, 5, 6, 7]);
/** The server counts unread messages up to this many. */
const countMax = 10_000;

/** Lanes for a terminal: a row for each topic, what is wrong at its end. */
export function lanesText({ running, lanes }: Lanes): string {
  const rows = lanes.flatMap((lane) =>
    lane.topics.map((topic, at) => [
      at === 0 ? lane.service : "",
      at === 0 ? String(lane.lane) : "",
      topic.topic,
      count(topic.position),
      count(topic.end),
      `${count(topic.lagMessages)}${topic.lagMessages >= countMax ? "+" : ""}`,
      (topic.lagMs / 1_000).toFixed(1),
      at === 0 ? count(lane.parkedKeys) : "",
      [...(at === 0 ? [stateOf(lane)] : []), topic.blocked ?? ""].filter((text) => text !== "").join("; "),
    ]),
  );
  const first = running ? "The shop runs." : "No process runs this shop; this is how it was left.";
  return [first, "", table(head, rows, numbers)].join("\n");
}

function stateOf({ owner, stopped, effects }: LaneView): string {
  if (stopped !== undefined) return `STOPPED: ${stopped}`;
  if (owner === undefined) return "not running";
  return effects === undefined || effects === 0 ? owner : `${owner}, ${count(effects)} calls under way`;
}

function count(value: number): string {
  return value.toLocaleString("en-GB");
}
