import { allTopics } from "@waybill/contracts";
import type { World } from "@waybill/messaging";
import { openEngine, type Config, type Engine } from "@waybill/server";
import { CliError } from "../exit.ts";
import { lookInto, takeFolder, type Begun } from "./folder.ts";

export interface PlaceOptions {
  readonly folder: string;
  readonly config: Config;
  readonly begun: Begun;
  readonly fresh: boolean;
  readonly world: World;
}

/** What a replay's shop runs on. */
export interface Place {
  readonly engine: Engine;
  /** It goes on from where an earlier one had stopped. */
  readonly resumed: boolean;
}

/**
 * Opens what a replay runs on: its folder, or brokers and a database that nobody else has used. Throws when they hold
 * something else.
 */
export async function openPlace({ folder, config, begun, fresh, world }: PlaceOptions): Promise<Place> {
  if (config.engine === "embedded") {
    const resumed = lookInto(folder, begun, fresh) === "resumed";
    if (!resumed) takeFolder(folder, begun);
    return { engine: await openEngine(config, { data: folder, world }), resumed };
  }
  if (fresh) {
    const text = "--fresh deletes a folder. For another replay on brokers take brokers and a schema that are unused.";
    throw new CliError("usage", text);
  }
  await using open = new AsyncDisposableStack();
  const on = { ...begun, on: placeOf(config) };
  const resumed = lookInto(folder, on, false) === "resumed";
  const engine = open.use(await openEngine(config, { data: folder, world }));
  if (!resumed) {
    await engine.declare(allTopics, new Map());
    await refuseUsed(engine);
    takeFolder(folder, on);
  }
  open.move();
  return { engine, resumed };
}

/** In words and without secrets, so that a replay goes on only where it was begun. */
function placeOf({ engine, postgres, nats, kafka }: Config): string {
  const { hostname, port, pathname } = new URL(postgres!.url);
  const brokers = [...(nats?.servers ?? []), ...(kafka?.brokers ?? [])].map((one) => one.replace(/^.*@/, ""));
  return `${engine} at ${brokers.join(", ")} with ${hostname}:${port}${pathname}/${postgres!.schema}`;
}

/** A replay's figures are of its own orders only. */
async function refuseUsed({ store, transportOf }: Engine): Promise<void> {
  const instead = "A replay needs a shop of its own: take brokers and a schema that are unused.";
  const { lanes } = await store.survey(["orders"]);
  if (lanes.length > 0) throw new CliError("usage", `The database holds a shop already. ${instead}`);
  for (const { name } of allTopics) {
    const bounds = await transportOf(name).bounds(name);
    if (bounds.every(({ firstOffset, nextOffset }) => firstOffset === nextOffset)) continue;
    throw new CliError("usage", `The topic ${name} has messages already. ${instead}`);
  }
}
