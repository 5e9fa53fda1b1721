import type { Rehearsed } from "@waybill/messaging";
import { setTimeout as pause } from "node:timers/promises";
import { refused, type Found } from "./found.ts";

export interface RedriveAsked {
  readonly service: string;
  readonly key: string | undefined;
  readonly fingerprint: string | undefined;
  readonly body: unknown;
  readonly perSecond: number;
  readonly dryRun: boolean;
}

/** What became of a key, or what would. */
export interface RedriveResult {
  readonly key: string;
  readonly outcome?: "done" | "failed" | "waits" | "queued" | "elsewhere";
  readonly error?: string;
  readonly type?: string;
  readonly would?: Rehearsed;
}

/** Tries keys again through the server, page by page, so many a second at most, until none is left or the signal says stop. */
export async function* redriveAll(
  found: Found,
  { service, key, fingerprint, body, perSecond, dryRun }: RedriveAsked,
  signal: AbortSignal,
): AsyncGenerator<RedriveResult> {
  const path = `/parked/${encodeURIComponent(service)}/redrive`;
  const which = key === undefined ? { fingerprint } : { key, body };
  for (let after: string | undefined, first = true; first || after !== undefined; first = false) {
    signal.throwIfAborted();
    const beganMs = performance.now();
    const asked = { ...which, dryRun, limit: perSecond, ...(after === undefined ? {} : { after }) };
    const page = (await found.post(path, asked).catch(refused)) as {
      readonly results: readonly RedriveResult[];
      readonly next?: string;
    };
    yield* page.results;
    after = page.next;
    const restMs = 1_000 - (performance.now() - beganMs);
    if (after !== undefined && restMs > 0) await pause(restMs, undefined, { signal });
  }
}

/** What became of a key on one line, or what would on a few. */
export function resultLine({ key, outcome, error, type, would }: RedriveResult): string {
  if (would === undefined) return `${key}  ${outcome ?? ""}${error === undefined ? "" : `: ${error}`}`;
  if (would.kind === "failed") return `${key}  ${type ?? ""} would fail: ${would.code}: ${would.reason}`;
  if (would.kind === "waits") return `${key}  ${type ?? ""} would wait: ${would.reason}`;
  const parts = [
    ...would.saved.map(({ state, id, value }) => `  save ${state} ${id}: ${JSON.stringify(value)}`),
    ...would.sent.map((one) => `  send ${one.type}: ${JSON.stringify(one.body)}`),
    ...would.effects.map((one) => `  call ${one.name}: ${JSON.stringify(one.input)}`),
    ...would.timers.map((one) => `  set ${one.name} for ${new Date(one.dueMs).toISOString()}`),
    ...would.cleared.map((name) => `  clear ${name}`),
  ];
  return [`${key}  ${type ?? ""} would${parts.length === 0 ? " change nothing" : ":"}`, ...parts].join("\n");
}
