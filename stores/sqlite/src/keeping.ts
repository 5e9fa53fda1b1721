import { WaybillError } from "@waybill/messaging";
import { change } from "./change.ts";
import type { EmbeddedFile } from "./file.ts";
import type { WriteName } from "./tables.ts";
import { laneName } from "./wave.ts";

/** What a store holds of a service; each number is counted up to 10,000. */
export interface Kept {
  readonly states: number;
  readonly timers: number;
  /** Calls to the outside that are not answered. */
  readonly effects: number;
  /** Inputs that are set aside. */
  readonly parked: number;
  /** Messages that no log has confirmed yet. */
  readonly outbox: number;
  /** Topics whose messages are kept for it, whatever their retention says. */
  readonly topics: readonly KeptTopic[];
}

/** How many of a topic's messages are kept for a service. */
export interface KeptTopic {
  readonly topic: string;
  /** All from the first one that it has not read. */
  readonly messages: number;
}

/** Services that something is kept of, whether they still are part of a deployment or not. */
export interface Keeping {
  services(): Promise<readonly string[]>;
  of(service: string): Promise<Kept>;
  /**
   * Deletes all that is kept of a service, as if it had never been; what it said stays in the log. Some rows at a time: when it
   * is cut off, the service's lanes are stopped, and forgetting it again goes on. Throws NOT_OWNER while a process runs one of
   * its lanes.
   */
  forget(service: string): Promise<void>;
}

const countMax = 10_000;
const rowsPerStep = 1_000;
const counted = ["state", "timer", "effect", "parked", "outbox"] as const;

/** What is deleted some rows at a time, and what with the lanes at the end. */
const inSteps = {
  state: "stateDropSome",
  timer: "timerDropSome",
  effect: "effectDropSome",
  parked: "parkedDropSome",
  parked_key: "parkedKeyDropSome",
  outbox: "outboxDropSome",
  seen: "seenDropSome",
} as const satisfies Record<string, WriteName>;
const atLast = ["sentDropAll", "positionDropAll", "laneDropAll"] as const satisfies readonly WriteName[];

/** What a file keeps of services. */
export function sqliteKeeping(file: EmbeddedFile): Keeping {
  const { connection, lanes, log, versions, world } = file;

  /** So that no process takes up what is half gone. */
  async function stopLanes(service: string): Promise<void> {
    const enter = () => {
      const stored = lanes.of([service]).map((row) => lanes.find(row)!);
      const running = stored.find(({ row }) => row.owner !== undefined && lanes.isLive(row.owner, world.monotonicMs()));
      if (running !== undefined) throw stillRuns(service, running.row.lane);
      const stopped = "FORGOTTEN: waybill forget was cut off while it deleted what this service has kept.";
      const next = stored.map((one) => ({
        ...one,
        row: { ...one.row, owner: undefined, epoch: one.row.epoch + 1, stopped },
      }));
      for (const one of next) lanes.put(one);
      return next;
    };
    await change(file.writer(), enter, (wave, next) => {
      for (const one of next) wave.lanes.set(laneName(one.row), one);
    });
  }

  const write = (...extra: { write: WriteName; cells: (string | number)[] }[]) =>
    change(
      file.writer(),
      () => extra,
      (wave) => wave.extra.push(...extra),
    );

  return {
    async services() {
      file.look();
      return [...new Set([...lanes.services(), ...log.progress.services()])].toSorted();
    },
    async of(service) {
      file.look();
      const [states, timers, effects, parked, outbox] = counted.map((table) => {
        const sql = `select count(*) as rows from (select 1 from ${table} where service = ? limit ${countMax})`;
        return connection.get<{ rows: number }>(sql, service)!.rows;
      });
      const topics = log.progress.heldBy(service).flatMap(({ topic, from }) => {
        const held = log.topics.get(topic);
        if (held === undefined) return [];
        return [{ topic, messages: Math.max(0, held.durableOffset - Math.max(from, held.firstOffset)) }];
      });
      return { states: states!, timers: timers!, effects: effects!, parked: parked!, outbox: outbox!, topics };
    },
    async forget(service) {
      file.writer();
      await stopLanes(service);
      for (const [table, step] of Object.entries(inSteps)) {
        const left = `select 1 from ${table} where service = ? limit 1`;
        while (connection.get(left, service) !== undefined) await write({ write: step, cells: [service, rowsPerStep] });
      }
      await write(...atLast.map((last) => ({ write: last, cells: [service] })));
      lanes.remove(service);
      log.progress.forget(service);
      versions.forget();
      // What was kept for it alone is deleted with the next wave: here is one.
      await write();
    },
  };
}

function stillRuns(service: string, lane: number): WaybillError {
  const text = `Lane ${lane} of ${service} runs; what a service keeps can be forgotten only when it is no longer part of the shop.`;
  return new WaybillError("NOT_OWNER", text, { details: { service, lane } });
}
