import { bareBatch, codeOf, type Batch, type LaneId, type LaneRow, type Store } from "@waybill/messaging";

export const lane: LaneId = { service: "orders", lane: 0, lanes: 1 };

/** Claims the lane for a member that stays for an hour unless told otherwise. */
export async function owned(store: Store, member = "a", ttlMs = 3_600_000): Promise<LaneRow> {
  await store.declare("orders", 1, () => "source-1");
  await store.join({ id: member, host: "here", services: ["orders"], level: 1 }, ttlMs);
  const { epoch } = await store.lane(lane);
  const row = await store.claim(lane, member, 1, epoch);
  if (row === undefined) throw new Error("The lane could not be claimed.");
  return row;
}

/** The lane's batch by its number, which is also the version of the one state that it writes, less one. */
export function numbered(row: LaneRow, number: number, change: Partial<Batch> = {}): Batch {
  const state = { kind: "order", id: "1", home: 0, version: number + 1, schema: 1, body: `{"after":${number}}` };
  const nextOffset = number + 1;
  const position = { topic: "orders", partition: 0, logId: "log", nextOffset, lastOffset: number, lastId: "m" };
  const { epoch } = row;
  const changes = { count: 1, inputs: 1, positions: [{ ...position, marks: {} }], states: [state], ...change };
  return bareBatch(lane, { epoch, batch: number, timeMs: number, level: 1, ...changes });
}

/** What a batch ended with: "done", or the code with which it was rejected. */
export async function outcome(store: Store, batch: Batch): Promise<string> {
  try {
    await store.commit(batch).durable;
    return "done";
  } catch (error) {
    return codeOf(error) ?? String(error);
  }
}

/** The state's version, the position and the lane's batch, which must all tell the same number of commits. */
export async function counted(store: Store): Promise<{ batch: number; version: number; offset: number }> {
  const { batch } = await store.lane(lane);
  const [state] = await store.load("orders", [{ kind: "order", id: "1" }]);
  const { positions } = await store.recover(lane);
  return { batch, version: state?.version ?? 0, offset: positions[0]?.nextOffset ?? 0 };
}

/** The lane's row, as soon as the database answers. */
export async function rowWhenThere(store: Store): Promise<LaneRow> {
  for (;;) {
    try {
      return await store.lane(lane);
    } catch (error) {
      if (codeOf(error) !== "STORE_UNAVAILABLE") throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

/**
 * Commits `count` batches as a lane does: after any rejection it reads its row, and repeats what is not there. Gives the
 * outcomes that were not "done".
 */
export async function commitAll(store: Store, row: LaneRow, count: number): Promise<string[]> {
  const rejected: string[] = [];
  for (let number = row.batch; number < count;) {
    const ended = await outcome(store, numbered(row, number));
    if (ended !== "done") rejected.push(ended);
    number = ended === "done" ? number + 1 : (await rowWhenThere(store)).batch;
  }
  return rejected;
}
