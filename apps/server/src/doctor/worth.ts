/** What may happen to the machines that have acknowledged something, from the least on. */
export const mishaps = {
  process: "a server's process is killed",
  machine: "a machine crashes or loses power",
  disk: "a machine, its disk or its zone is lost for good",
  site: "all machines lose power at once",
} as const;

export type Mishap = keyof typeof mishaps;

/**
 * kept: it is there afterwards. mostly: it is, unless something else goes wrong at the same time. lost: the last of it is
 * not. unknown: a setting decides that could not be seen.
 */
export type Kept = "kept" | "mostly" | "lost" | "unknown";

export interface Survival {
  readonly kept: Kept;
  /** Why, as one sentence without a full stop. */
  readonly why: string;
}

/** What an acknowledgement is worth. */
export interface Worth {
  readonly survives: Readonly<Record<Mishap, Survival>>;
  /** What to change to get more, each a whole sentence; empty when there is no more to get. */
  readonly advice: readonly string[];
}

export function kept(why: string): Survival {
  return { kept: "kept", why };
}

export function mostly(why: string): Survival {
  return { kept: "mostly", why };
}

export function lost(why: string): Survival {
  return { kept: "lost", why };
}

export function unknown(why: string): Survival {
  return { kept: "unknown", why };
}

/** The advice whose condition holds. */
export function adviceOf(...advice: readonly (readonly [applies: boolean, text: string])[]): readonly string[] {
  return advice.flatMap(([applies, text]) => (applies ? [text] : []));
}

/** How a topic is asked to be kept. */
export interface Declared {
  readonly storage?: "file" | "memory" | undefined;
  readonly replicas?: number | undefined;
}

/**
 * What an acknowledgement must survive to be what was declared: on disks the loss of power, with replicas the loss of one
 * of them as well, in memory nothing but what replicas can do.
 */
export function neededBy({ storage = "file", replicas = 1 }: Declared): readonly Mishap[] {
  const byReplicas: readonly Mishap[] = replicas > 1 ? ["process", "machine", "disk"] : [];
  return storage === "memory" ? byReplicas : [...new Set<Mishap>(["process", "machine", ...byReplicas])];
}

/** A time for people: of the largest unit that it fills. */
export function timeText(ms: number): string {
  const units = [
    ["day", 86_400_000],
    ["hour", 3_600_000],
    ["minute", 60_000],
    ["second", 1_000],
  ] as const;
  const [name, size] = units.find(([, unitMs]) => ms >= unitMs) ?? ["ms", 1];
  const count = Math.round((ms / size) * 10) / 10;
  return name === "ms" ? `${count} ms` : `${count} ${name}${count === 1 ? "" : "s"}`;
}
