import { Argument, Command } from "commander";
import { deploymentOf, withServer, type ServerOptions } from "../deployment.ts";
import { exitHelp } from "../exit.ts";
import { print } from "../print.ts";

interface Options extends ServerOptions {
  readonly reason: string;
  readonly to?: string;
}

const kinds = ["confirmed", "shipped", "cancelled", "refunded"];

const resendExamples = `
Examples:
  waybill letters                                     shows order and letter of each
  waybill resend o-1 shipped --reason "The mail server is mended."
  waybill resend o-1 shipped --to ann@example.org --reason "She misspelt it."
  waybill letters --json | jq -r '.letters[] | [.orderId, .kind] | @tsv' |
    while read order letter; do waybill resend "$order" "$letter" --reason "The mail server is mended."; done

A letter that fails again comes back to the list. Who asked and why stands in the topic operations.
`;

const dismissExamples = `
Examples:
  waybill letters                                     shows order and letter of each
  waybill dismiss o-1 shipped --reason "Told on the phone."

The letter is taken off the list, and is not sent. Who asked and why stands in the topic operations.
`;

export function resendCommand(): Command {
  return ofLetter("resend", "again")
    .description("Send a letter again that did not go out.")
    .option("--to <address>", "another address (default: the one that it had)")
    .addHelpText("after", `${resendExamples}\n${exitHelp()}`);
}

export function dismissCommand(): Command {
  return ofLetter("dismiss", "dismiss")
    .description("Take a letter off the list that was dealt with otherwise.")
    .addHelpText("after", `${dismissExamples}\n${exitHelp()}`);
}

function ofLetter(name: string, how: "again" | "dismiss"): Command {
  return withServer(
    new Command(name)
      .argument("<order>", "the order's id")
      .addArgument(new Argument("<letter>", "which of its letters").choices(kinds)),
  )
    .requiredOption("--reason <text>", "why; it is kept")
    .action((order: string, letter: string, options: Options) => perform(how, { order, letter }, options));
}

async function perform(
  how: "again" | "dismiss",
  of: { order: string; letter: string },
  options: Options,
): Promise<void> {
  const { findShop, refused } = await import("../shop/found.ts");
  const found = findShop(await deploymentOf(options), options.server);
  const { reason, to, json } = options;
  const path = `/letters/${encodeURIComponent(of.order)}/${encodeURIComponent(of.letter)}/${how}`;
  const done = (await found.post(path, { reason, ...(to === undefined ? {} : { to }) }).catch(refused)) as {
    to: string;
  };
  print(json, done, () =>
    how === "again"
      ? `The letter "${of.letter}" of order ${of.order} goes out again to ${to ?? done.to}.`
      : `The letter "${of.letter}" of order ${of.order} is off the list.`,
  );
}
