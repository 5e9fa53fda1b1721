import { posix } from "node:path";
import { isTest, workspaceOf, type Workspace } from "./files.ts";
import type { Import, Parsed } from "./parse.ts";

/** What the packages of a folder may import besides themselves: packages of the workspace, and libraries. */
interface Layer {
  readonly folder: string;
  readonly ours: readonly string[];
  /** undefined: any that its package.json declares. */
  readonly libraries?: readonly string[];
}

const engines: ReadonlySet<string> = new Set([
  "@waybill/store-sqlite",
  "@waybill/store-postgres",
  "@waybill/transport-embedded",
  "@waybill/transport-nats",
  "@waybill/transport-kafka",
]);

/** From the bottom up. An arrow that is not here does not exist. */
export const layers: readonly Layer[] = [
  { folder: "packages/messaging", ours: [], libraries: ["@standard-schema/spec"] },
  { folder: "packages/contracts", ours: ["@waybill/messaging"], libraries: ["arktype"] },
  { folder: "packages/node", ours: ["@waybill/messaging"], libraries: [] },
  { folder: "packages/memory", ours: ["@waybill/messaging"], libraries: [] },
  { folder: "packages/conformance", ours: ["@waybill/messaging"], libraries: ["vitest"] },
  { folder: "packages/brokers", ours: [], libraries: ["commander"] },
  { folder: "packages/simulator", ours: ["@waybill/messaging", "@waybill/memory"], libraries: [] },
  { folder: "stores", ours: ["@waybill/messaging"] },
  { folder: "transports/embedded", ours: ["@waybill/messaging", "@waybill/store-sqlite"] },
  { folder: "transports", ours: ["@waybill/messaging"] },
  { folder: "services", ours: ["@waybill/messaging", "@waybill/contracts"], libraries: [] },
  { folder: "apps/gateway", ours: [] },
  { folder: "apps", ours: ["@waybill/"] },
];

/** Where services that are folders without a package are listed, by their paths. */
const ownServices = "apps/server/src/own-services.ts";

/** Where such a service says what its messages are, which takes a library for schemas. */
const ownContract = /^services\/[^/]+\/src\/contract\.ts$/;

/** The one file of such a service that may reach for the world: the hands of its calls to the outside. Only its index names it. */
const outside = /^services\/[^/]+\/src\/outside\.ts$/;

/** What tests may use besides: suites, engines that live in memory, and the tools of the root. */
const forTests: ReadonlySet<string> = new Set(["@waybill/conformance", "@waybill/memory", "@waybill/brokers"]);

/** Where code must get time, chance and waiting from its caller. */
export const pure = ["packages/messaging/src/", "packages/contracts/src/", "services/"];

/** The only built-in modules of Node that pure code may use, by file, and what of them. */
const pureBuiltins: Readonly<Record<string, readonly string[]>> = {
  "packages/messaging/src/ids.ts": ["node:crypto hash"],
};

export function isPure(path: string): boolean {
  return !isTest(path) && !outside.test(path) && pure.some((folder) => path.startsWith(folder));
}

/** What a file of pure code asks of the world by itself. */
export function impurities(path: string, { imports, asks }: Parsed): string[] {
  if (!isPure(path)) return [];
  const allowed = pureBuiltins[path] ?? [];
  const builtins = imports
    .filter(({ from }) => from.startsWith("node:"))
    .flatMap(({ from, names }) => (names.length === 0 ? [from] : names.map((name) => `${from} ${name}`)))
    .filter((what) => !allowed.includes(what));
  return [...asks, ...builtins].map((what) => `${path} uses ${what}`);
}

/** The imports of a file that its place does not allow, each with the reason. */
export function trespasses(path: string, { imports }: Parsed, workspaces: readonly Workspace[]): string[] {
  const own = workspaceOf(path, workspaces);
  const said: string[] = [];
  for (const imported of imports) {
    const why = imported.from.startsWith(".")
      ? leaves(path, imported, own, workspaces)
      : outOfBounds(path, packageOf(imported.from), own, workspaces);
    if (why !== undefined) said.push(`${path} imports ${imported.from}: ${why}`);
  }
  return said;
}

function leaves(path: string, { from }: Import, own: Workspace, workspaces: readonly Workspace[]): string | undefined {
  const target = posix.join(posix.dirname(path), from);
  const other = workspaceOf(target, workspaces);
  if (outside.test(target) && !isTest(path) && path !== posix.join(posix.dirname(target), "index.ts"))
    return "rules and wiring are pure; only the service's index names the hands of its calls";
  if (own.folder === "." || other === own || other.folder === ".") return undefined;
  if (path === ownServices && target === `${other.folder}/src/index.ts`) return undefined;
  return `it is part of ${other.name}; import that by its name`;
}

function outOfBounds(path: string, name: string, own: Workspace, workspaces: readonly Workspace[]): string | undefined {
  if (name.startsWith("node:") || name === own.name) return undefined;
  const isOurs = workspaces.some((workspace) => workspace.name === name);
  const layer = layers.find(({ folder }) => path.startsWith(`${folder}/`));
  if (isOurs && layer !== undefined && !mayImport(layer, name, isTest(path))) return notBelow(layer, name);
  if (name === "arktype" && ownContract.test(path)) return undefined;
  if (!isOurs && !isTest(path) && layer?.libraries?.includes(name) === false)
    return `${layer.folder} uses no library but ${layer.libraries.join(", ") || "what it is given"}`;
  return declared(path, name, isOurs, own, workspaces) ? undefined : `${own.folder}/package.json does not declare it`;
}

function mayImport({ ours }: Layer, name: string, inTest: boolean): boolean {
  return (
    ours.some((one) => name === one || (one.endsWith("/") && name.startsWith(one))) || (inTest && forTests.has(name))
  );
}

function notBelow({ folder }: Layer, name: string): string {
  return engines.has(name) ? "only apps choose engines" : `it is not below ${folder}`;
}

function declared(
  path: string,
  name: string,
  isOurs: boolean,
  own: Workspace,
  workspaces: readonly Workspace[],
): boolean {
  if (own.dependencies.has(name)) return true;
  // The root is tests, settings and scripts; they concern the whole workspace, and its tools are there for all tests.
  if (!isTest(path) && own.folder !== ".") return false;
  const tools = workspaces.find(({ folder }) => folder === ".")!.devDependencies;
  return own.devDependencies.has(name) || tools.has(name) || (isOurs && own.folder === ".");
}

/** The package that an import names: without the path within it. */
function packageOf(from: string): string {
  if (from.startsWith("node:")) return from;
  return from.split("/", from.startsWith("@") ? 2 : 1).join("/");
}
