import { Command } from "commander";

interface Options {
  readonly data: string;
  readonly gateway?: string;
  readonly fix?: true;
  readonly yes?: true;
  readonly json?: true;
}

const examples = `
Examples:
  waybill audit
  waybill audit --data ./shop --json
  waybill audit --gateway http://127.0.0.1:8081     the ledger of a gateway that runs elsewhere
  waybill audit --fix                               show which messages would put things right
  waybill audit --fix --yes                         and send them

It reads the data folder at one moment, beside the server if one runs, and the sandbox gateway's ledger in it. What is on its
way is no breach. Without --yes nothing is ever sent. A running shop is told over HTTP; one that is stopped finds the messages
at its next start.

Exit codes:
  0  the books balance
  1  a law is broken
  2  something could not be checked
`;

export function auditCommand(): Command {
  return new Command("audit")
    .description("Check that the books balance: messages, stock, money, and the gateway's own ledger.")
    .option("-d, --data <folder>", "the shop's data folder", ".waybill")
    .option("--gateway <url or file>", "the gateway's ledger, if it is not the sandbox in the data folder")
    .option("--fix", "show the messages that would put breaches right")
    .option("--yes", "with --fix: send them")
    .option("--json", "print it as JSON")
    .addHelpText("after", examples)
    .action(perform);
}

async function perform({ data, gateway, fix, yes, json }: Options): Promise<void> {
  const { auditShop } = await import("../audit/audit-shop.ts");
  process.exitCode = await auditShop({
    data,
    gateway,
    fix: fix === true,
    send: fix === true && yes === true,
    json: json === true,
  });
}
