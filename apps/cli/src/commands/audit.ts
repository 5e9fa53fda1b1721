import { Command } from "commander";
import { deploymentOf, withServer, type ServerOptions } from "../deployment.ts";

interface Options extends ServerOptions {
  readonly gateway?: string;
  readonly fix?: true;
  readonly yes?: true;
}

const examples = `
Examples:
  waybill audit
  waybill audit --data ./shop --json
  waybill audit --gateway http://127.0.0.1:8081     the ledger of a gateway that runs elsewhere
  waybill audit --engine nats                       a shop on NATS and PostgreSQL, whose URLs the environment says
  waybill audit --fix                               show which messages would put things right
  waybill audit --fix --yes                         and send them

It reads the shop at one moment, beside the servers if some run, and the sandbox gateway's ledger in the data folder. What is
on its way is no breach. Without --yes nothing is ever sent. A running shop is told over HTTP; one that is stopped finds the
messages at its next start.

Exit codes:
  0  the books balance
  1  a law is broken
  2  something could not be checked
`;

export function auditCommand(): Command {
  return withServer(new Command("audit"))
    .description("Check that the books balance: messages, stock, money, and the gateway's own ledger.")
    .option("--gateway <url or file>", "the gateway's ledger, if it is not the sandbox in the data folder")
    .option("--fix", "show the messages that would put breaches right")
    .option("--yes", "with --fix: send them")
    .addHelpText("after", examples)
    .action(perform);
}

async function perform(options: Options): Promise<void> {
  const { auditShop } = await import("../audit/audit-shop.ts");
  const { gateway, server, fix, yes, json } = options;
  process.exitCode = await auditShop({
    config: await deploymentOf(options),
    gateway,
    server,
    fix: fix === true,
    send: fix === true && yes === true,
    json: json === true,
  });
}
