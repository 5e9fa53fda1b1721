import type { Config, WaybillConfig } from "@waybill/server";
import { Option, type Command } from "commander";

/** What every command that concerns a shop may be told about where that is. */
export interface DeploymentOptions {
  readonly config?: string;
  readonly engine?: NonNullable<WaybillConfig["engine"]>;
  readonly data?: string;
}

const engines = ["embedded", "nats", "kafka", "hybrid"];

/** Adds `--config` and `--engine`. */
export function withDeployment(command: Command): Command {
  return command
    .option("--config <file>", "the configuration (default: waybill.config.ts of this folder, if it is there)")
    .addOption(new Option("--engine <name>", "what the shop runs on (default: embedded)").choices(engines));
}

/** The configuration of the shop that a command is about. Throws ConfigError. */
export async function deploymentOf(options: DeploymentOptions, flags: WaybillConfig = {}): Promise<Config> {
  const { loadConfig } = await import("@waybill/server");
  const { config: file, engine, data } = options;
  const own = { ...(engine === undefined ? {} : { engine }), ...(data === undefined ? {} : { data }) };
  return loadConfig({ file, flags: { ...flags, ...own } });
}

/** Adds `--data`, `--server` and `--json` to what `--config` and `--engine` say of where a shop is. */
export function withServer(command: Command): Command {
  return withDeployment(command)
    .option("-d, --data <folder>", "the shop's data folder (default: .waybill)")
    .option("--server <url>", "the server to ask, with its key in WAYBILL_API_KEY (default: that of the data folder)")
    .option("--json", "print it as JSON");
}

/** What `withServer` adds. */
export interface ServerOptions extends DeploymentOptions {
  readonly server?: string;
  readonly json?: true;
}
