import { ConfigError } from "./config/error.ts";
import type { EngineName } from "./config/schema.ts";
import { lanesMaxOf } from "./services.ts";

/** What one process does of a shop: some of its services, the HTTP interface, or both. */
export interface Parts {
  readonly services: readonly string[];
  readonly api: boolean;
}

/**
 * The parts that are asked for: names of services, and `api` for the HTTP interface; undefined means all. Throws ConfigError
 * for a name that is none, and when the engine cannot do the rest elsewhere.
 */
export function partsOf(engine: EngineName, only: readonly string[] | undefined, api = true): Parts {
  const names = [...lanesMaxOf().keys()];
  const isWhole = only === undefined && api;
  if (engine === "embedded" && !isWhole) {
    const reason =
      "the embedded engine works in one process, and in no other; start all of the shop, or another engine";
    throw new ConfigError("The command line", [{ field: "--only, --no-api", reason }]);
  }
  if (only === undefined) return { services: names, api };
  const unknown = only.filter((name) => name !== "api" && !names.includes(name));
  if (unknown.length > 0 || only.length === 0) {
    const reason = `there is no ${unknown.join(" or ") || "part named"}; there are ${[...names, "api"].join(", ")}`;
    throw new ConfigError("The command line", [{ field: "--only", reason }]);
  }
  return { services: names.filter((name) => only.includes(name)), api: api && only.includes("api") };
}
