import { Command, InvalidArgumentError, Option } from "commander";
import type { KeyEntry } from "@waybill/server";
import { join } from "node:path";
import { CliError, exitHelp } from "../exit.ts";
import { table } from "../table.ts";

interface Where {
  readonly data: string;
  readonly keys?: string;
  readonly json?: true;
}

interface NewOptions extends Where {
  readonly role: "shop" | "operator";
  readonly customer?: string;
  readonly rate?: number;
  readonly note?: string;
}

const examples = `
Examples:
  waybill key new --role shop --note "web shop"
  waybill key new --role shop --customer ann --rate 60
  waybill key new --role operator --json
  waybill key list
  waybill key revoke 3f2a91c0

A key is shown once, when it is made; the file keeps its hash only. As soon as there is one, the server asks every request
for one. It looks at the file every second: to change a key, make a second one, hand it out, then revoke the first.
`;

export function keyCommand(): Command {
  return new Command("key")
    .description("Make, list and revoke the keys that the HTTP interface asks for.")
    .addCommand(
      where(new Command("new").description("Make a key and show it once."))
        .addOption(new Option("--role <role>", "what it lets do").choices(["shop", "operator"]).makeOptionMandatory())
        .option("--customer <id>", "only the orders of this customer; for the role shop")
        .addOption(
          new Option("--rate <per minute>", "how many requests a minute (default: 60000)").argParser(perMinute),
        )
        .option("--note <text>", "what it is for")
        .action(make),
    )
    .addCommand(where(new Command("list").description("List the keys, without their secrets.")).action(list))
    .addCommand(
      where(
        new Command("revoke").description("Take a key back.").argument("<id>", "its id, as the list shows it"),
      ).action(revoke),
    )
    .addHelpText("after", `${examples}\n${exitHelp()}`);
}

function where(command: Command): Command {
  return command
    .option("-d, --data <folder>", "the shop's data folder", ".waybill")
    .option("--keys <file>", "the file of keys (default: keys.json in the data folder)")
    .option("--json", "print it as JSON");
}

function perMinute(text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Give requests a minute, such as 600.");
}

function fileOf({ data, keys }: Where): string {
  return keys ?? join(data, "keys.json");
}

async function make({ role, customer, rate, note, ...at }: NewOptions): Promise<void> {
  if (customer !== undefined && role === "operator") {
    throw new CliError("usage", "An operator's key is for all customers: leave --customer out.");
  }
  const { newKey, writeKeyFile } = await import("@waybill/server");
  const file = fileOf(at);
  const { key, entry } = newKey({
    role,
    ...(customer === undefined ? {} : { customer }),
    ...(rate === undefined ? {} : { ratePerMinute: rate }),
    ...(note === undefined ? {} : { note }),
  });
  writeKeyFile(file, [...(await known(file)), entry]);
  if (at.json === true) return print({ key, ...shown(entry) });
  process.stderr.write(`Keep it: it is not shown again. ${file} has its hash.\n`);
  process.stdout.write(`${key}\n`);
}

async function list(at: Where): Promise<void> {
  const keys = (await known(fileOf(at))).map(shown);
  if (at.json === true) return print({ keys });
  if (keys.length === 0) process.stdout.write("There are no keys: the server answers this machine only.\n");
  else process.stdout.write(`${listText(keys)}\n`);
}

async function revoke(id: string, at: Where): Promise<void> {
  const { writeKeyFile } = await import("@waybill/server");
  const file = fileOf(at);
  const keys = await known(file);
  const left = keys.filter((key) => key.id !== id);
  if (left.length === keys.length) throw new CliError("failed", `There is no key ${id} in ${file}.`);
  writeKeyFile(file, left);
  if (at.json === true) return print({ revoked: id });
  process.stdout.write(`Key ${id} is revoked; a running server notices within a second.\n`);
}

/** The keys of a file. */
async function known(file: string): Promise<readonly KeyEntry[]> {
  const { readKeyFile } = await import("@waybill/server");
  try {
    return readKeyFile(file);
  } catch (error) {
    throw new CliError("data", (error as Error).message, error);
  }
}

type Shown = Omit<KeyEntry, "sha256">;

function shown({ sha256: _hash, ...entry }: KeyEntry): Shown {
  return entry;
}

function listText(keys: readonly Shown[]): string {
  const rows = keys.map(({ id, role, customer, ratePerMinute, note, createdAt }) => [
    id,
    role,
    customer ?? "all",
    String(ratePerMinute ?? 60_000),
    createdAt,
    note ?? "",
  ]);
  return table(["id", "role", "customers", "a minute", "made", "note"], rows, new Set([3]));
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}
