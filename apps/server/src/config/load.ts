import { effective, type Config } from "./effective.ts";
import { fileIn, fromEnvironment, fromFile, merged } from "./layers.ts";
import type { WaybillConfig } from "./schema.ts";

export interface ConfigSources {
  /** The folder in which `waybill.config.ts` is looked for, and from which paths count. Default: the current one. */
  readonly folder?: string;
  /** A file to use instead of that one. */
  readonly file?: string | undefined;
  /** Default: the process' own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What the command line says: it wins. */
  readonly flags?: WaybillConfig;
}

/**
 * What holds for this deployment: what the command line says, else the environment, else the file, else the defaults.
 * Throws ConfigError naming every setting that is not known or cannot be, with the reason.
 */
export async function loadConfig({
  folder = ".",
  file,
  env = process.env,
  flags = {},
}: ConfigSources): Promise<Config> {
  const path = fileIn(folder, file);
  const said = path === undefined ? {} : await fromFile(path);
  return effective(merged(said, fromEnvironment(env), flags));
}
