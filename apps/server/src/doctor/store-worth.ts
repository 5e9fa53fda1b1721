import { adviceOf, kept, lost, mostly, type Survival, type Worth } from "./worth.ts";

/** The settings of a PostgreSQL that decide. */
export interface PostgresFacts {
  readonly fsync: boolean;
  readonly fullPageWrites: boolean;
  /** off, local, remote_write, on or remote_apply. */
  readonly synchronousCommit: string;
  /** The standbys that a commit waits for; empty: none. */
  readonly synchronousStandbys: string;
}

/** What a commit of PostgreSQL is worth. */
export function worthOfPostgres(facts: PostgresFacts): Worth {
  const { fsync, fullPageWrites, synchronousCommit, synchronousStandbys } = facts;
  const isWaiting = !["off", "local"].includes(synchronousCommit);
  const hasStandby = isWaiting && synchronousStandbys !== "";
  const atPowerLoss = postgresAtPowerLoss(facts);
  const survives: Worth["survives"] = {
    process:
      synchronousCommit === "off"
        ? lost("commits are confirmed before they are written (synchronous_commit off)")
        : kept("it is written before it is confirmed"),
    machine: atPowerLoss,
    disk: hasStandby
      ? kept("a standby has it before it is confirmed")
      : lost("one server has it; what is left is the backup"),
    site: atPowerLoss,
  };
  const advice = adviceOf(
    [!fsync, "Write through to the disk: `fsync = on`."],
    [!fullPageWrites, "Protect pages that are half written: `full_page_writes = on`."],
    [
      synchronousCommit === "off",
      "Confirm after writing: `synchronous_commit = on`, for the database and its users as well.",
    ],
    [
      synchronousStandbys === "",
      "Have a standby confirm: a replica in another zone, named in `synchronous_standby_names`; and keep backups.",
    ],
    [
      synchronousStandbys !== "" && synchronousCommit === "local",
      "Wait for the standbys that are named: `synchronous_commit = on`.",
    ],
  );
  return { survives, advice };
}

function postgresAtPowerLoss({ fsync, fullPageWrites, synchronousCommit }: PostgresFacts): Survival {
  if (!fsync) return lost("nothing is written through to the disk, and the database may be beyond repair (fsync off)");
  if (synchronousCommit === "off") return lost("the last commits are not on the disk (synchronous_commit off)");
  if (!fullPageWrites)
    return mostly("it is on the disk, but a page that was half written is not mended (full_page_writes off)");
  return kept("it is on the disk before it is confirmed");
}

/** The settings of the embedded file that decide. */
export interface FileFacts {
  /** "wal" */
  readonly journal: string;
  /** "full" */
  readonly synchronous: string;
}

/** What is worth what the embedded engine has acknowledged. */
export function worthOfFile({ journal, synchronous }: FileFacts): Worth {
  const isSafe = journal === "wal" && synchronous === "full";
  const atPowerLoss = isSafe
    ? kept("it is on the disk before it is confirmed (WAL, synchronous full)")
    : lost(`the last transactions may not be on the disk (journal ${journal}, synchronous ${synchronous})`);
  const survives: Worth["survives"] = {
    process: kept("it is written before it is confirmed"),
    machine: atPowerLoss,
    disk: lost("one disk has it; what is left is the backup"),
    site: atPowerLoss,
  };
  const advice = adviceOf(
    [!isSafe, "Start the server on this folder: it sets WAL and synchronous full, and checks both."],
    [
      true,
      "To survive the disk, run on brokers with three replicas and PostgreSQL with a standby; until then, back the folder up.",
    ],
  );
  return { survives, advice };
}
