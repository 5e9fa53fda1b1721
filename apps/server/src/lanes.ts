import {
  codeOf,
  messageOf,
  reads,
  type LaneId,
  type LaneRow,
  type LaneStatus,
  type PartitionBounds,
  type Position,
  type Service,
  type Worker,
} from "@waybill/messaging";
import { partitions, type Engine } from "./engine.ts";
import { pagesTo } from "./pages.ts";

/** How far a lane is in one of its topics. */
export interface LaneTopic {
  readonly topic: string;
  /** The offset of the first message that it has not handled; `end` when there is none. */
  readonly position: number;
  /** One past the last offset of its partitions. */
  readonly end: number;
  /** How many messages are unread, counted up to 10,000. */
  readonly lagMessages: number;
  /** How long ago the oldest unread message was published; 0 when there is none. */
  readonly lagMs: number;
  /** Why the lane reads no further here. */
  readonly blocked?: string;
}

/** A lane as an operator sees it. */
export interface LaneView {
  readonly service: string;
  readonly lane: number;
  /** The host and process of the member that runs it; undefined when nobody does. */
  readonly owner: string | undefined;
  readonly epoch: number;
  /** Why it stopped for good. */
  readonly stopped?: string;
  readonly parkedKeys: number;
  /** Calls to the outside that are not answered; undefined when another process runs the lane. */
  readonly effects: number | undefined;
  /** Lane time; undefined for a lane that has not done anything yet. */
  readonly time: string | undefined;
  readonly topics: readonly LaneTopic[];
}

const countMax = 10_000;
const page = { messages: 1_000, bytes: 4_194_304 };

/** Every lane of these services. `worker`: the one of this process, if it runs lanes. */
export async function laneViews(engine: Engine, services: readonly Service[], worker?: Worker): Promise<LaneView[]> {
  const { store } = engine;
  const bounds = boundsOnce(engine);
  const { lanes, members } = await store.survey(services.map(({ name }) => name));
  const hosts = new Map(members.map(({ id, host }) => [id, host]));
  const running = worker?.lanes() ?? [];
  const views: LaneView[] = [];
  for (const service of services) {
    const rows = lanes.filter((row) => row.service === service.name);
    for (const row of rows) {
      const status = running.find((one) => one.service === row.service && one.lane === row.lane);
      views.push(await laneView(engine, service, { row, lanes: rows.length, status, hosts, bounds }));
    }
  }
  return views;
}

/** The bounds of topics, each asked for once. */
function boundsOnce(engine: Engine): (topic: string) => Promise<readonly PartitionBounds[]> {
  const asked = new Map<string, Promise<readonly PartitionBounds[]>>();
  return (topic) => {
    const found = asked.get(topic) ?? engine.durable.transportOf(topic).bounds(topic);
    asked.set(topic, found);
    return found;
  };
}

interface Known {
  readonly row: LaneRow;
  readonly lanes: number;
  readonly status: LaneStatus | undefined;
  /** Members that live, by id. */
  readonly hosts: ReadonlyMap<string, string>;
  readonly bounds: (topic: string) => Promise<readonly PartitionBounds[]>;
}

async function laneView(engine: Engine, service: Service, known: Known): Promise<LaneView> {
  const { row, lanes, status, hosts } = known;
  const id: LaneId = { service: row.service, lane: row.lane, lanes };
  const { positions, parkedKeys } = await engine.store.recover(id);
  const topics: LaneTopic[] = [];
  for (const topic of reads(service)) {
    const blocked = status?.blocked.find((one) => one.topic === topic);
    const own = positions.filter((position) => position.topic === topic);
    const bounds = await known.bounds(topic);
    topics.push(await laneTopic(engine, id, { topic, bounds, positions: own }, blocked && wordsOf(blocked)));
  }
  return {
    service: row.service,
    lane: row.lane,
    owner: row.owner === undefined ? undefined : hosts.get(row.owner),
    epoch: row.epoch,
    ...(row.stopped === undefined ? {} : { stopped: row.stopped }),
    parkedKeys: parkedKeys.length,
    effects: status?.effects,
    time: row.timeMs === 0 ? undefined : new Date(row.timeMs).toISOString(),
    topics,
  };
}

function wordsOf({ code, reason }: LaneStatus["blocked"][number]): string {
  return `${code}: ${reason}`;
}

interface Read {
  readonly topic: string;
  readonly bounds: readonly PartitionBounds[];
  readonly positions: readonly Position[];
}

async function laneTopic(
  engine: Engine,
  { lane, lanes }: LaneId,
  { topic, bounds: all, positions }: Read,
  blocked: string | undefined,
): Promise<LaneTopic> {
  const bounds = all.filter(({ partition }) => partition % lanes === lane && partition < partitions);
  const end = Math.max(0, ...bounds.map(({ nextOffset }) => nextOffset));
  const froms = bounds.map((one) => positionIn(one, positions));
  const isBehind = froms.some((from, at) => from.nextOffset < bounds[at]!.nextOffset);
  const unread = isBehind ? await unreadFrom(engine, topic, froms, bounds) : none;
  const lagMs = unread.oldestMs === undefined ? 0 : Math.max(0, engine.store.nowMs() - unread.oldestMs);
  const why = blocked ?? unread.error;
  return {
    topic,
    position: unread.first ?? end,
    end,
    lagMessages: unread.messages,
    lagMs,
    ...(why === undefined ? {} : { blocked: why }),
  };
}

/** Where a lane reads on in a partition: where it said, or at what is kept when it never read it. */
function positionIn(bounds: PartitionBounds, positions: readonly Position[]): Position {
  const { topic, partition, logId, firstOffset } = bounds;
  const known = positions.find((position) => position.partition === partition);
  return known ?? { topic, partition, logId, nextOffset: firstOffset };
}

interface Unread {
  readonly messages: number;
  readonly first?: number | undefined;
  readonly oldestMs?: number | undefined;
  readonly error?: string;
}

const none: Unread = { messages: 0 };

/** Counts by reading, for offsets are not dense: up to a bound, so that a lane far behind costs no more. */
async function unreadFrom(
  engine: Engine,
  topic: string,
  froms: readonly Position[],
  bounds: readonly PartitionBounds[],
): Promise<Unread> {
  let messages = 0;
  let first: number | undefined;
  let oldestMs: number | undefined;
  try {
    for await (const fetched of pagesTo(engine.durable.transportOf(topic), froms, bounds, page)) {
      messages += fetched.length;
      for (const { offset, atMs } of fetched) {
        first = Math.min(first ?? offset, offset);
        oldestMs = Math.min(oldestMs ?? atMs, atMs);
      }
      if (messages >= countMax) break;
    }
  } catch (error) {
    return { messages, first, oldestMs, error: `${codeOf(error) ?? "ERROR"}: ${messageOf(error)}` };
  }
  return { messages, first, oldestMs };
}

/** What keeps lanes from their work: nothing when all of them run and read, in this process or in others. */
export async function laneTroubles(engine: Engine, services: readonly Service[], worker: Worker): Promise<string[]> {
  const { lanes, members } = await engine.store.survey(services.map(({ name }) => name));
  const others = new Set(members.map(({ id }) => id).filter((id) => id !== worker.memberId));
  const running = worker.lanes();
  const troubles: string[] = [];
  for (const { service, lane, stopped, owner = "" } of lanes) {
    const status = running.find((one) => one.service === service && one.lane === lane);
    if (stopped !== undefined) troubles.push(`Lane ${service}/${lane} has stopped. ${stopped}`);
    else if (status === undefined && !others.has(owner)) troubles.push(`Lane ${service}/${lane} does not run.`);
    for (const { topic, code, reason } of status?.blocked ?? []) {
      troubles.push(`Lane ${service}/${lane} reads no further in ${topic}. ${code}: ${reason}`);
    }
  }
  return troubles;
}
