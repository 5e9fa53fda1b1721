import { Argument, Command } from "commander";
import { deploymentOf, withServer, type ServerOptions } from "../deployment.ts";
import { CliError, exitHelp } from "../exit.ts";
import { print } from "../print.ts";

interface Options extends ServerOptions {
  readonly done?: string;
  readonly payment?: string;
  readonly refused?: string;
  readonly reason: string;
}

const operations = ["authorise", "capture", "void", "refund"] as const;

const examples = `
Examples:
  waybill resolve o-1 capture --done op_12 --payment pay_7 --reason "Seen in the gateway's list."
  waybill resolve o-1 authorise --refused not_found --reason "The gateway has never seen it."

First look the order up at the gateway: what is said here counts as if the gateway had said it. GET /payments/ORDER shows
what a payment waits for. Who said what, and why, stands in the topic operations: waybill tail operations
`;

export function resolveCommand(): Command {
  return withServer(
    new Command("resolve")
      .argument("<order>", "the order whose payment waits for a person")
      .addArgument(new Argument("<operation>", "what nobody else can tell of").choices(operations)),
  )
    .description("Say what became of a payment that the gateway cannot tell of, or that it refused.")
    .option("--done <operation-id>", "it was done: the gateway's id of the operation; with --payment")
    .option("--payment <payment-id>", "the gateway's id of the payment")
    .option("--refused <code>", "it was not done, and will not be: why, such as card_declined")
    .requiredOption("--reason <text>", "how that is known; it is kept")
    .addHelpText("after", `${examples}\n${exitHelp()}`)
    .action(perform);
}

async function perform(orderId: string, operation: (typeof operations)[number], options: Options): Promise<void> {
  const outcome = outcomeOf(options);
  const { findShop, refused } = await import("../shop/found.ts");
  const found = findShop(await deploymentOf(options), options.server);
  const body = { operation, outcome, reason: options.reason };
  const path = `/payments/${encodeURIComponent(orderId)}/resolve`;
  const done = (await found.post(path, body).catch(refused)) as { readonly status: string };
  print(options.json, done, () => `The payment of order ${orderId} is ${done.status}.`);
}

function outcomeOf({ done, payment, refused }: Options): Record<string, string> {
  if (refused !== undefined && done === undefined && payment === undefined) return { kind: "refused", reason: refused };
  if (done !== undefined && payment !== undefined && refused === undefined) {
    return { kind: "done", paymentId: payment, operationId: done };
  }
  throw new CliError("usage", "Give either --done with --payment, or --refused.");
}
