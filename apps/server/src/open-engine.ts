import type { World } from "@waybill/messaging";
import type { EmbeddedFile, FileLimits } from "@waybill/store-sqlite";
import { brokersEngine } from "./brokers-engine.ts";
import type { Config } from "./config/effective.ts";
import { embeddedEngine } from "./embedded-engine.ts";
import type { Engine } from "./engine.ts";

export interface OpenEngineOptions {
  readonly world: World;
  /** The folder of the embedded file. */
  readonly data: string;
  readonly limits?: Partial<FileLimits> | undefined;
  /** Look only: the embedded file beside the process that works in it. */
  readonly readOnly?: boolean;
}

/** What a deployment runs on. Throws STORE_UNAVAILABLE or TRANSPORT_UNAVAILABLE when something cannot be reached. */
export async function openEngine(
  config: Config,
  { world, data, limits = {}, readOnly = false }: OpenEngineOptions,
): Promise<Engine & { readonly file?: EmbeddedFile }> {
  if (config.engine !== "embedded") return brokersEngine(config, world);
  const lanesOf = (service: string) => config.services[service]?.lanes ?? 1;
  return embeddedEngine({ folder: data, world, limits, readOnly, topics: config.topics, lanesOf });
}
