import {
  inOrder,
  inputView,
  keyView,
  parkedGroups,
  shopServices,
  type Engine,
  type InputView,
  type KeyView,
  type ParkedGroup,
} from "@waybill/server";
import { CliError } from "../exit.ts";
import { count } from "../print.ts";
import { table } from "../table.ts";
import { refused, type Found } from "./found.ts";

/** A key with the inputs behind it. */
export interface KeyWithInputs extends KeyView {
  readonly inputs: readonly InputView[];
}

/** What is parked, by fingerprint, as the server says, or what it runs on when no server can be asked. */
export async function readGroups(found: Found): Promise<readonly ParkedGroup[]> {
  const told = (await found.get("/parked").catch(refused)) as { groups: readonly ParkedGroup[] } | undefined;
  if (told !== undefined) return told.groups;
  await using engine = await found.open();
  const services = shopServices();
  const names = services.map(({ name }) => name);
  // Waited for here: the engine is closed at the end of this block.
  return await parkedGroups(engine.store, names);
}

/** All keys of a service, the oldest first. */
export async function readKeys(found: Found, service: string): Promise<readonly KeyView[]> {
  const told = await pages<KeyView>(found, `/parked/${encodeURIComponent(service)}`, "keys");
  if (told !== undefined) return told.rows;
  await using engine = await found.open();
  return (await keysIn(engine, service)).map(keyView);
}

/** One key with all of its inputs. */
export async function readKey(found: Found, service: string, key: string): Promise<KeyWithInputs> {
  const path = `/parked/${encodeURIComponent(service)}/${encodeURIComponent(key)}`;
  const told = await pages<InputView>(found, path, "inputs");
  if (told !== undefined) {
    const { next: _next, ...view } = told.first as unknown as KeyWithInputs & { next?: string };
    return { ...view, inputs: told.rows };
  }
  await using engine = await found.open();
  const parked = (await keysIn(engine, service)).find((one) => one.key === key);
  if (parked === undefined) throw new CliError("failed", `Nothing is parked under ${key} in ${service}.`);
  const inputs = await engine.store.parked(service, parked.partition, key, 0, inputsMax);
  return { ...keyView(parked), inputs: inputs.map(inputView) };
}

/** The most inputs that one key holds. */
const inputsMax = 2_048;

async function keysIn({ store }: Engine, service: string) {
  const names = shopServices().map(({ name }) => name);
  if (names.includes(service)) return inOrder(await store.parkedKeys(service));
  throw new CliError("failed", `There is no service ${service}; there are ${names.join(", ")}.`);
}

/** All pages of a list; undefined when there is no server to ask. */
async function pages<T>(found: Found, path: string, name: string) {
  const rows: T[] = [];
  let first: Record<string, unknown> | undefined;
  for (let next: string | undefined = path; next !== undefined;) {
    const page = (await found.get(next).catch(refused)) as Record<string, unknown> | undefined;
    if (page === undefined) return undefined;
    first ??= page;
    rows.push(...(page[name] as readonly T[]));
    next = page["next"] as string | undefined;
  }
  return { first: first!, rows };
}

export function groupsText(groups: readonly ParkedGroup[]): string {
  if (groups.length === 0) return "Nothing is set aside.";
  const rows = groups.map(({ service, fingerprint, keys, waiting, oldestAt, attemptsMax, sample }) => [
    service,
    fingerprint,
    count(keys),
    count(waiting),
    oldestAt.slice(0, 19).replace("T", " "),
    count(attemptsMax),
    `${sample.key}: ${sample.error.slice(0, 120)}`,
  ]);
  return table(
    ["service", "fingerprint", "keys", "waiting", "since (UTC)", "tries", "a sample"],
    rows,
    new Set([2, 3, 5]),
  );
}

export function keysText(keys: readonly KeyView[]): string {
  if (keys.length === 0) return "Nothing is set aside.";
  const rows = keys.map(({ key, fingerprint, since, attempts, nextTry, error }) => [
    key,
    fingerprint,
    since.slice(0, 19).replace("T", " "),
    count(attempts),
    nextTry === undefined ? "a person" : nextTry.slice(11, 19),
    error.slice(0, 120),
  ]);
  return table(["key", "fingerprint", "since (UTC)", "tries", "waits for", "why"], rows, new Set([3]));
}

export function keyText({ key, fingerprint, error, since, attempts, inputs }: KeyWithInputs): string {
  const rows = inputs.map(({ seq, at, kind, type, body }) => [
    String(seq),
    at.slice(0, 23).replace("T", " "),
    kind,
    type,
    JSON.stringify(body).slice(0, 200),
  ]);
  return [
    `${key}: ${fingerprint}`,
    `  set aside ${since}, tried ${attempts === 1 ? "once" : `${attempts} times`}`,
    `  ${error}`,
    "",
    table(["number", "published (UTC)", "kind", "type", "body"], rows, new Set([0])),
  ].join("\n");
}
