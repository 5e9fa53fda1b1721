import { WaybillError, type LaneId, type LaneRow, type Member } from "@waybill/messaging";
import type { Connection } from "./connection.ts";
import { laneName, type StoredLane } from "./wave.ts";

interface LaneColumns {
  readonly service: string;
  readonly lane: number;
  readonly lanes: number;
  readonly source: string;
  readonly owner: string | null;
  readonly epoch: number;
  readonly batch: number;
  readonly next_n: number;
  readonly time_ms: number;
  readonly level: number;
  readonly tries: number;
  readonly suspect: string | null;
  readonly stopped: string | null;
}

/**
 * The rows of all lanes. Only this process writes the file, so what is in memory is the truth, some of it not durable
 * yet; the members are those of this process, and live no longer than it does.
 */
export class Lanes {
  readonly #connection: Connection;
  readonly #rows = new Map<string, StoredLane>();
  /** Lanes whose owner may have seen what was taken back, and has not read its row since. */
  readonly #stale = new Set<string>();
  readonly #members = new Map<string, { readonly member: Member; untilMs: number }>();

  constructor(connection: Connection) {
    this.#connection = connection;
    this.refresh();
  }

  /** Takes in what is durable in place of what is in memory. */
  refresh(): void {
    this.#rows.clear();
    for (const columns of this.#connection.all<LaneColumns>("select * from lane")) {
      const row = rowOf(columns);
      this.#rows.set(laneName(row), { row, lanes: columns.lanes });
    }
  }

  /** After a wave was refused: rows are as they are on the disk, and every lane must read its own before it commits. */
  retract(): void {
    this.refresh();
    for (const name of this.#rows.keys()) this.#stale.add(name);
  }

  of(services: readonly string[]): LaneRow[] {
    return [...this.#rows.values()].filter(({ row }) => services.includes(row.service)).map(({ row }) => row);
  }

  find(id: { readonly service: string; readonly lane: number }): StoredLane | undefined {
    return this.#rows.get(laneName(id));
  }

  get(id: LaneId): StoredLane {
    const stored = this.find(id);
    if (stored !== undefined) return stored;
    throw new WaybillError("CONTRACT_INVALID", `Service "${id.service}" has no lane ${id.lane}; declare it first.`, {
      details: { service: id.service, lane: id.lane },
    });
  }

  /** The lane's row, for its owner to go on from. */
  read(id: LaneId): LaneRow {
    this.#stale.delete(laneName(id));
    return this.get(id).row;
  }

  put(stored: StoredLane): void {
    this.#rows.set(laneName(stored.row), stored);
  }

  /** Takes the rows of a service away. */
  remove(service: string): void {
    for (const { row } of this.#rows.values()) if (row.service === service) this.#rows.delete(laneName(row));
  }

  /** Every service that has a lane. */
  services(): Set<string> {
    return new Set(Array.from(this.#rows.values(), ({ row }) => row.service));
  }

  lanesOf(service: string): number | undefined {
    return this.find({ service, lane: 0 })?.lanes;
  }

  /** The row, if a batch of this epoch and number may be committed on it. */
  fence(id: LaneId, epoch: number, batch: number): StoredLane {
    const stored = this.get(id);
    const { row } = stored;
    const details = { service: id.service, lane: id.lane, epoch, batch };
    if (this.#stale.has(laneName(id))) {
      const text = `Lane ${id.lane} of ${id.service} rests on a batch that was not kept; read its row again.`;
      throw new WaybillError("COMMIT_UNKNOWN", text, { details });
    }
    if (row.epoch === epoch && row.batch === batch && row.owner !== undefined) return stored;
    const text = `Lane ${id.lane} of ${id.service} is at epoch ${row.epoch}, batch ${row.batch}${row.owner === undefined ? " without an owner" : ""}; this commit is for epoch ${epoch}, batch ${batch}.`;
    throw new WaybillError("NOT_OWNER", text, { details });
  }

  join(member: Member, untilMs: number): void {
    this.#members.set(member.id, { member, untilMs });
  }

  renew(id: string, nowMs: number, untilMs: number): boolean {
    const joined = this.#members.get(id);
    if (joined === undefined || joined.untilMs <= nowMs) return false;
    joined.untilMs = untilMs;
    return true;
  }

  leave(id: string): void {
    this.#members.delete(id);
  }

  members(nowMs: number): Member[] {
    for (const [id, { untilMs }] of this.#members) if (untilMs <= nowMs) this.#members.delete(id);
    return [...this.#members.values()].map(({ member }) => member);
  }

  isLive(id: string, nowMs: number): boolean {
    const joined = this.#members.get(id);
    return joined !== undefined && joined.untilMs > nowMs;
  }
}

function rowOf(columns: LaneColumns): LaneRow {
  return {
    service: columns.service,
    lane: columns.lane,
    source: columns.source,
    owner: columns.owner ?? undefined,
    epoch: columns.epoch,
    batch: columns.batch,
    nextN: columns.next_n,
    timeMs: columns.time_ms,
    level: columns.level,
    tries: columns.tries,
    suspect: columns.suspect ?? undefined,
    stopped: columns.stopped ?? undefined,
  };
}
