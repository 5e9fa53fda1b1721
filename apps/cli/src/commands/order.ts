import { Argument, Command } from "commander";
import { deploymentOf, withServer, type ServerOptions } from "../deployment.ts";
import { exitHelp } from "../exit.ts";

const examples = `
Examples:
  waybill order 0198c2a4-5f00-7000-8000-000000000001
  waybill order 0198c2a4-5f00-7000-8000-000000000001 --json
  waybill order 012ca142-e140-7c08-9c11-1c95ba29e5ab --data .waybill/replay-online-retail-2010-12-exact

It asks the server of the data folder, or reads the folder itself when no server runs. On any other engine than the
embedded one it reads database and brokers.
`;

export function orderCommand(): Command {
  return withServer(new Command("order"))
    .description("Show an order's journey: each message of its life, where it lies, and what it means.")
    .addArgument(new Argument("<id>", "the order's id"))
    .addHelpText("after", `${examples}\n${exitHelp()}`)
    .action(perform);
}

async function perform(orderId: string, options: ServerOptions): Promise<void> {
  const { findShop } = await import("../shop/found.ts");
  const { orderText, readOrder } = await import("../shop/order.ts");
  const order = await readOrder(findShop(await deploymentOf(options), options.server), orderId);
  process.stdout.write(`${options.json === true ? JSON.stringify(order, undefined, 2) : orderText(order)}\n`);
}
