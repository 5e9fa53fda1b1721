import { Command } from "commander";
import { deploymentOf, withServer, type ServerOptions } from "../deployment.ts";
import { exitHelp } from "../exit.ts";
import { print } from "../print.ts";

const examples = `
Examples:
  waybill letters
  waybill letters --json | jq -r '.letters[] | [.orderId, .to, .reason] | @tsv'
  waybill letters --data ./shop

A letter that was refused did not go out; one that was given up (unknown) may have. It stays on the list until somebody says
waybill resend or waybill dismiss.
`;

export function lettersCommand(): Command {
  return withServer(new Command("letters"))
    .description("Show letters that did not go out, and why.")
    .addHelpText("after", `${examples}\n${exitHelp()}`)
    .action(perform);
}

async function perform(options: ServerOptions): Promise<void> {
  const { findShop } = await import("../shop/found.ts");
  const { lettersText, readLetters } = await import("../shop/letters.ts");
  const letters = await readLetters(findShop(await deploymentOf(options), options.server));
  print(options.json, { letters }, () => lettersText(letters));
}
