import { adviceOf, kept, lost, mostly, timeText, unknown, type Survival, type Worth } from "./worth.ts";

/** The settings of a stream and its servers that decide. */
export interface NatsFacts {
  readonly storage: "file" | "memory";
  readonly replicas: number;
  /** When the servers write through to their disks: before they answer, each so many milliseconds, or nobody could tell. */
  readonly sync: "always" | number | undefined;
  /** "async": confirmed before it is written. */
  readonly persist: string;
}

/** Above this an interval of writing through is likely not what was meant. */
const intervalMsMax = 3_600_000;

/** What an acknowledgement of NATS JetStream is worth. */
export function worthOfNats(facts: NatsFacts): Worth {
  const { storage, replicas, sync, persist } = facts;
  const isAlone = replicas < 2;
  const survives =
    storage === "memory" ? inMemory(replicas) : persist === "async" ? beforeWriting() : onDisk(replicas, sync);
  const advice = adviceOf(
    [storage === "memory", 'Keep it on disks: storage "file".'],
    [
      storage === "file" && sync !== "always",
      "Have every server write through before it answers: `sync_interval: always` in its block `jetstream`.",
    ],
    [
      typeof sync === "number" && sync > intervalMsMax,
      'Put an interval in quotes: NATS reads 2m without them as two million seconds, and "2m" as two minutes.',
    ],
    [storage === "file" && persist === "async", "Write before confirming: persist mode `default` of the stream."],
    [isAlone, "Have three servers keep it: replicas 3, on a cluster of three in different zones."],
    [replicas === 2, "Have three replicas: with two, nothing can be stored while one of them is away."],
  );
  return { survives, advice };
}

function inMemory(replicas: number): Worth["survives"] {
  const why = "it is in the server's memory only";
  if (replicas < 2) return { process: lost(why), machine: lost(why), disk: lost(why), site: lost(why) };
  const others = mostly("it is in the memory of others, unless one of those is behind or away then");
  return { process: others, machine: others, disk: others, site: lost("it is in memory only") };
}

function beforeWriting(): Worth["survives"] {
  const why = "the server confirms before it writes";
  return { process: lost(why), machine: lost(why), disk: lost(why), site: lost(why) };
}

function onDisk(replicas: number, sync: NatsFacts["sync"]): Worth["survives"] {
  return {
    process: kept("it is written to a file before it is confirmed"),
    machine: onPowerLoss(replicas, sync),
    disk:
      replicas < 2 ? lost("one server has it") : kept(`${majority(replicas)} servers have it before it is confirmed`),
    site: synced(sync),
  };
}

function onPowerLoss(replicas: number, sync: NatsFacts["sync"]): Survival {
  if (sync === "always" || sync === undefined || replicas < 2) return synced(sync);
  return mostly(
    `others have it; but a server that comes back without the last ${timeText(sync)} may elect, with one that is behind, a leader that lacks it`,
  );
}

function synced(sync: NatsFacts["sync"]): Survival {
  if (sync === "always") return kept("it is on the disk before it is confirmed (sync_interval always)");
  if (sync !== undefined) return lost(`up to ${timeText(sync)} are not on the disk (sync_interval)`);
  return unknown("kept if sync_interval is always; by default up to 2 minutes are not on the disk");
}

function majority(replicas: number): number {
  return Math.floor(replicas / 2) + 1;
}
