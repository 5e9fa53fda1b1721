import { bodyText, type ParkedInput, type ParkedKey, type Store } from "@waybill/messaging";

/** Parked keys of one service that failed alike, as an operator meets them. */
export interface ParkedGroup {
  readonly service: string;
  /** Error code or name, kind of input, type: what failures are grouped by. */
  readonly fingerprint: string;
  readonly keys: number;
  /** How many of them are tried again by themselves. */
  readonly waiting: number;
  readonly oldestAt: string;
  readonly newestAt: string;
  readonly attemptsMax: number;
  readonly builds: readonly string[];
  /** The oldest key, with its first input. */
  readonly sample: { readonly key: string; readonly error: string; readonly input: InputView | undefined };
}

/** One parked input, for people. */
export interface InputView {
  readonly seq: number;
  readonly kind: string;
  readonly type: string;
  readonly id: string;
  readonly schema: number;
  readonly at: string;
  readonly origin: unknown;
  /** The body as JSON, or as text where it is none. */
  readonly body: unknown;
}

/** One parked key, for people. */
export interface KeyView {
  readonly key: string;
  readonly partition: number;
  readonly fingerprint: string;
  readonly error: string;
  readonly since: string;
  readonly attempts: number;
  readonly build: string;
  /** When it is tried again by itself. */
  readonly nextTry?: string;
}

const buildsMax = 10;

/** What is parked in these services, by fingerprint, the oldest first. */
export async function parkedGroups(store: Store, services: readonly string[]): Promise<readonly ParkedGroup[]> {
  const groups: ParkedGroup[] = [];
  for (const service of services) {
    const byFingerprint = Map.groupBy(await store.parkedKeys(service), ({ fingerprint }) => fingerprint);
    for (const keys of byFingerprint.values()) groups.push(await groupOf(store, service, inOrder(keys)));
  }
  return groups.sort((a, b) => a.oldestAt.localeCompare(b.oldestAt));
}

async function groupOf(store: Store, service: string, keys: readonly ParkedKey[]): Promise<ParkedGroup> {
  const oldest = keys[0]!;
  const [first] = await store.parked(service, oldest.partition, oldest.key, 0, 1);
  return {
    service,
    fingerprint: oldest.fingerprint,
    keys: keys.length,
    waiting: keys.filter(({ dueMs }) => dueMs !== undefined).length,
    oldestAt: timeOf(oldest.sinceMs),
    newestAt: timeOf(keys.at(-1)!.sinceMs),
    attemptsMax: Math.max(...keys.map(({ attempts }) => attempts)),
    builds: [...new Set(keys.map(({ build }) => build))].slice(0, buildsMax),
    sample: { key: oldest.key, error: oldest.error, input: first && inputView(first) },
  };
}

/** Keys in the order in which they are tried again: the oldest first. */
export function inOrder(keys: readonly ParkedKey[]): readonly ParkedKey[] {
  return keys.toSorted((a, b) => a.sinceMs - b.sinceMs || (a.key < b.key ? -1 : Number(a.key > b.key)));
}

/** A place in that order, as text for a page's `next`. */
export function placeOf({ sinceMs, key }: ParkedKey): string {
  return Buffer.from(JSON.stringify([sinceMs, key])).toString("base64url");
}

/** The keys behind a place; all of them when there is none. */
export function behind(keys: readonly ParkedKey[], place: string | undefined): readonly ParkedKey[] {
  const parsed = place === undefined ? undefined : parsedPlace(place);
  if (parsed === undefined) return keys;
  const [sinceMs, key] = parsed;
  return keys.filter((one) => one.sinceMs > sinceMs || (one.sinceMs === sinceMs && one.key > key));
}

function parsedPlace(place: string): readonly [number, string] | undefined {
  try {
    const [sinceMs, key] = JSON.parse(Buffer.from(place, "base64url").toString()) as unknown[];
    return typeof sinceMs === "number" && typeof key === "string" ? [sinceMs, key] : undefined;
  } catch {
    return undefined;
  }
}

export function keyView({ key, partition, fingerprint, error, sinceMs, attempts, build, dueMs }: ParkedKey): KeyView {
  const since = timeOf(sinceMs);
  const view = { key, partition, fingerprint, error, since, attempts, build };
  return dueMs === undefined ? view : { ...view, nextTry: timeOf(dueMs) };
}

export function inputView({ seq, kind, type, id, headers, origin, body }: ParkedInput): InputView {
  const { schema, atMs } = JSON.parse(headers) as { schema: number; atMs: number };
  return { seq, kind, type, id, schema, at: timeOf(atMs), origin: JSON.parse(origin), body: readable(body) };
}

/** A body as JSON, or as the text or bytes that it is. */
function readable(body: ParkedInput["body"]): unknown {
  try {
    return JSON.parse(bodyText(body)) as unknown;
  } catch {
    return typeof body === "string" ? body : Buffer.from(body).toString("base64");
  }
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}
