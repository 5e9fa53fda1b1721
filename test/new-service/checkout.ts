import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { allWorkspaces, root } from "../boundaries/files.ts";

/** A copy of this checkout that shares its libraries. */
export interface Checkout extends Disposable {
  readonly folder: string;
  /** The path of a library's program, to be run by Node. */
  program(path: string): string;
  /** Every file with a digest of what it holds. */
  tree(): ReadonlyMap<string, string>;
}

/** Folders that are made here and are no part of a checkout; those that begin with a dot are not either. */
const made: ReadonlySet<string> = new Set(["node_modules", "dist", "coverage"]);

/** Where services of one's own are listed, by their paths. */
export const ownServices = "apps/server/src/own-services.ts";

/**
 * Copies the checkout into a folder of its own, as it is without services of one's own. Its packages are its own, so that a
 * change to them is seen.
 */
export function copyOfCheckout(): Checkout {
  const folder = mkdtempSync(join(tmpdir(), "waybill-checkout-"));
  cpSync(root, folder, { recursive: true, filter: (path) => path === root || isPart(path) });
  linkLibraries(folder);
  takeOutOwnServices(folder);
  return {
    folder,
    program: (path) => join(folder, "node_modules", path),
    tree: () => new Map(filesOf(folder).map((file) => [relative(folder, file), digest(file)])),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

function isPart(path: string): boolean {
  const name = basename(path);
  if (made.has(name) || name.endsWith(".tsbuildinfo")) return false;
  return !name.startsWith(".") || statSync(path).isFile();
}

/** Libraries are those of this checkout, one link each; the packages of the workspace are the copy's own. */
function linkLibraries(folder: string): void {
  for (const { folder: own } of allWorkspaces()) {
    const libraries = join(root, own, "node_modules");
    if (own !== "." && existsSync(libraries)) symlinkSync(libraries, join(folder, own, "node_modules"));
  }
  const from = join(root, "node_modules");
  const to = join(folder, "node_modules");
  mkdirSync(join(to, "@waybill"), { recursive: true });
  for (const name of readdirSync(from)) {
    if (name !== "@waybill" && name !== ".cache") symlinkSync(join(from, name), join(to, name));
  }
  // A link among these is relative, so that the same one leads to the copy's package.
  cpSync(join(from, "@waybill"), join(to, "@waybill"), { recursive: true, verbatimSymlinks: true });
}

/** What somebody has added is none of a test's business, and may have the very name that the test adds. */
function takeOutOwnServices(folder: string): void {
  const list = join(folder, ownServices);
  const lines = readFileSync(list, "utf8").split("\n");
  writeFileSync(list, lines.filter((line) => !line.startsWith("export ")).join("\n"));
  for (const name of readdirSync(join(folder, "services"))) {
    const service = join(folder, "services", name);
    if (!existsSync(join(service, "package.json"))) rmSync(service, { recursive: true });
  }
}

function filesOf(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return isPart(path) ? filesOf(path) : [];
    return isPart(path) ? [path] : [];
  });
}

function digest(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}
