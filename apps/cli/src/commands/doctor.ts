import { Command, InvalidArgumentError } from "commander";
import { deploymentOf, withDeployment, type DeploymentOptions } from "../deployment.ts";
import { exitHelp } from "../exit.ts";

interface Options extends DeploymentOptions {
  readonly natsMonitor?: readonly string[];
  readonly json?: true;
}

const examples = `
Examples:
  waybill doctor
  waybill doctor --engine nats --nats-monitor http://10.0.0.1:8222,http://10.0.0.2:8222
  waybill doctor --engine kafka --json

It reads the settings of database and brokers as they are, changes nothing, and says for each topic what a message is
worth that was acknowledged: whether it survives that a process is killed, that a machine loses its power, that a disk or
a zone is lost; and what to change to get more. NATS tells no client how often it writes to its disk (sync_interval);
its monitoring does.

It exits with 0 when all is as strong as the configuration declares: what is kept on disks survives the loss of power,
what has replicas the loss of one. With 1 when something is weaker or wrong. With 2 when something that decides could not
be looked at.
`;

export function doctorCommand(): Command {
  return withDeployment(new Command("doctor"))
    .description("Say what an acknowledgement is worth with the settings that database and brokers have.")
    .option("-d, --data <folder>", "the shop's data folder (default: .waybill)")
    .option("--nats-monitor <urls>", "where the NATS servers tell of themselves, such as http://host:8222", addressesOf)
    .option("--json", "print it as JSON")
    .addHelpText("after", `${examples}\n${exitHelp()}`)
    .action(perform);
}

async function perform(options: Options): Promise<void> {
  const config = await deploymentOf(options);
  const { diagnose, diagnosisText, exitOf, look } = await import("@waybill/server");
  const diagnosis = diagnose(config, await look(config, { natsMonitors: options.natsMonitor ?? [] }));
  const text = options.json === true ? JSON.stringify(diagnosis, undefined, 2) : diagnosisText(diagnosis);
  process.stdout.write(`${text}\n`);
  process.exitCode = exitOf(diagnosis);
}

function addressesOf(text: string): readonly string[] {
  const addresses = text.split(",").map((one) => one.trim());
  const isAddress = (one: string) => URL.canParse(one) && /^https?:$/.test(new URL(one).protocol);
  if (addresses.every(isAddress)) return addresses;
  throw new InvalidArgumentError("Give addresses such as http://127.0.0.1:8222, with commas between.");
}
