import { Command } from "commander";
import type { Config } from "@waybill/server";
import { deploymentOf, withDeployment, type DeploymentOptions } from "../deployment.ts";
import { CliError, exitHelp } from "../exit.ts";

interface Options extends DeploymentOptions {
  readonly status?: true;
  readonly json?: true;
}

const examples = `
Examples:
  waybill migrate --engine nats
  waybill migrate --engine nats --status --json

It makes the tables of the shop's PostgreSQL schema, or brings them up to date: all of it or nothing, whatever else runs.
The embedded engine needs none of this.
`;

export function migrateCommand(): Command {
  return withDeployment(new Command("migrate"))
    .description("Prepare the database of a shop for this build.")
    .option("--status", "only say what there is to do")
    .option("--json", "print it as JSON")
    .addHelpText("after", `${examples}\n${exitHelp()}`)
    .action(perform);
}

async function perform(options: Options): Promise<void> {
  const database = databaseOf(await deploymentOf(options));
  const { schema } = database;
  const { migrate, pendingMigrations } = await import("@waybill/store-postgres");
  if (options.status === true) {
    const pending = await pendingMigrations(database);
    const text =
      pending.length === 0 ? `The schema ${schema} is up to date.` : `To do in ${schema}: ${pending.join(", ")}.`;
    process.stdout.write(options.json === true ? `${JSON.stringify({ schema, pending })}\n` : `${text}\n`);
    return;
  }
  const done = await migrate(database);
  process.stdout.write(`${options.json === true ? JSON.stringify(done) : textOf(done)}\n`);
}

/** The database as migrations want it. Throws when the engine has none. */
export function databaseOf({ engine, postgres }: Config) {
  if (postgres === undefined) {
    const text = `The ${engine} engine has no database to migrate. Name another with --engine, or in waybill.config.ts.`;
    throw new CliError("usage", text);
  }
  const { url, schema, password } = postgres;
  return { url, schema, ...(password === undefined ? {} : { password }) };
}

function textOf({ schema, applied }: { readonly schema: string; readonly applied: readonly string[] }): string {
  return applied.length === 0 ? `The schema ${schema} is up to date.` : `Done in ${schema}: ${applied.join(", ")}.`;
}
