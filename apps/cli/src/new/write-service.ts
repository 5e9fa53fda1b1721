import { shopContract, shopServices } from "@waybill/server";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { CliError } from "../exit.ts";
import { identifierOf, serviceFiles, type ServiceFiles } from "./service-files.ts";
import { nameProblem, type Taken } from "./service-name.ts";

/** Where the services of one's own are listed, a line each. */
const list = "apps/server/src/own-services.ts";

/** What was written, or would be. */
export interface Written {
  readonly service: string;
  /** The checkout's folder. */
  readonly root: string;
  /** Paths from there. */
  readonly files: readonly string[];
  readonly list: string;
  /** The line that the list has got. */
  readonly line: string;
}

/**
 * Writes a new service into the checkout that `from` lies in; with `isTrial` only tells what it would write. Throws CliError
 * when that is no checkout, or the name will not do; then nothing is written.
 */
export function writeService(name: string, from: string, isTrial = false): Written {
  const root = checkoutOf(from);
  const problem = nameProblem(name, takenIn(root));
  if (problem !== undefined) throw new CliError("usage", problem);
  const folder = `services/${name}`;
  if (existsSync(join(root, folder))) throw new CliError("failed", `There is something at ${folder} already.`);
  const files = serviceFiles(name);
  const line = `export { ${identifierOf(name)} } from "../../../${folder}/src/index.ts";`;
  if (!isTrial) {
    writeFolder(join(root, folder), join(root, `services/.${name}.new`), files);
    // The line comes last: it must not name what is not there.
    writeList(join(root, list), line);
  }
  return { service: name, root, files: Object.keys(files).map((path) => `${folder}/${path}`), list, line };
}

/** The checkout of Waybill that a folder is in. */
function checkoutOf(from: string): string {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    if (existsSync(join(folder, list)) && existsSync(join(folder, "services"))) return folder;
    if (dirname(folder) !== folder) continue;
    throw new CliError(
      "failed",
      `${resolve(from)} is in no checkout of Waybill: there is no ${list} in it or above it.`,
    );
  }
}

function takenIn(root: string): Taken {
  const { topics, messages } = shopContract();
  const named = (of: readonly { readonly name: string }[]) => of.map(({ name }) => name);
  const listed = [...readFileSync(join(root, list), "utf8").matchAll(/"[^"]*services\/([^/"]+)\//g)];
  return {
    services: [...named(shopServices()), ...readdirSync(join(root, "services")), ...listed.map(([, name]) => name!)],
    topics: named(topics),
    messages: named(messages),
  };
}

/** Writes a folder whole or not at all. */
function writeFolder(folder: string, draft: string, files: ServiceFiles): void {
  rmSync(draft, { recursive: true, force: true });
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(draft, path)), { recursive: true });
      writeFileSync(join(draft, path), text);
    }
    renameSync(draft, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Adds a line to a file that stays whole whatever happens. */
function writeList(file: string, line: string): void {
  const draft = `${file}.new`;
  try {
    writeFileSync(draft, `${readFileSync(file, "utf8")}${line}\n`);
    renameSync(draft, file);
  } finally {
    rmSync(draft, { force: true });
  }
}
