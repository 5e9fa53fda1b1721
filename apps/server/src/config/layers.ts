import { check, type Issue } from "@waybill/messaging";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { ConfigError } from "./error.ts";
import { configSchema, type WaybillConfig } from "./schema.ts";
import { settings, type Setting } from "./settings.ts";

const fileDefault = "waybill.config.ts";

/** The path of the configuration file: the one that is named, or `waybill.config.ts` of the folder if it is there. */
export function fileIn(folder: string, named: string | undefined): string | undefined {
  const path = resolve(folder, named ?? fileDefault);
  if (existsSync(path)) return path;
  if (named === undefined) return undefined;
  throw new ConfigError(path, [{ field: "", reason: "There is no such file. Name the file with --config." }]);
}

/** What a file says. Throws ConfigError when it cannot be loaded or says something that is not known. */
export async function fromFile(path: string): Promise<WaybillConfig> {
  const loaded = await import(pathToFileURL(path).href).catch((error: unknown) => {
    throw new ConfigError(path, [{ field: "", reason: `It cannot be loaded: ${String(error)}` }], error);
  });
  const said = (loaded as { default?: unknown }).default;
  if (said === undefined) {
    throw new ConfigError(path, [
      { field: "", reason: "It has no default export: export default defineConfig({ … })." },
    ]);
  }
  return checkedLayer(path, said);
}

/** What the environment says. An empty variable says nothing. */
export function fromEnvironment(env: Readonly<Record<string, string | undefined>>): WaybillConfig {
  const said: Record<string, unknown> = {};
  const names = new Map<string, string>();
  for (const setting of settings) {
    const text = setting.env === undefined ? undefined : env[setting.env];
    if (text === undefined || text === "") continue;
    put(said, setting.path.split("."), valueOf(setting, text));
    names.set(setting.path, setting.env!);
  }
  return checkedLayer("The environment", said, names);
}

/** A text as the setting's type; one that does not fit stays as it is, for the schema to name. */
function valueOf({ as }: Setting, text: string): unknown {
  if (as === "number") return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  if (as === "boolean") return text === "true" || text === "1" ? true : text === "false" || text === "0" ? false : text;
  return text;
}

function put(into: Record<string, unknown>, [first, ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) into[first!] = value;
  else put((into[first!] ??= {}) as Record<string, unknown>, rest, value);
}

/** What a source says, if it fits the schema. `names`: what the source calls a setting. */
export function checkedLayer(
  where: string,
  said: unknown,
  names: ReadonlyMap<string, string> = new Map(),
): WaybillConfig {
  const result = check(configSchema, said);
  if ("value" in result) return result.value;
  throw new ConfigError(
    where,
    result.issues.map((issue) => plain(issue, names)),
  );
}

/** A reason without the field's name in front, and in words that say what to do. */
function plain({ field, reason }: Issue, names: ReadonlyMap<string, string>): Issue {
  const text = reason.startsWith(`${field} `) ? reason.slice(field.length + 1) : reason;
  return { field: names.get(field) ?? field, reason: text === "must be removed" ? "is not known; leave it out" : text };
}

/** Several sources as one: what stands later wins, setting by setting. Lists are taken whole. */
export function merged(...layers: readonly WaybillConfig[]): WaybillConfig {
  return layers.reduce<Record<string, unknown>>((into, layer) => over(into, layer), {});
}

function over(below: Readonly<Record<string, unknown>>, above: object): Record<string, unknown> {
  const made: Record<string, unknown> = { ...below };
  for (const [name, value] of Object.entries(above)) {
    if (value === undefined) continue;
    const under = made[name];
    made[name] = isPlain(value) && isPlain(under) ? over(under, value) : value;
  }
  return made;
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
