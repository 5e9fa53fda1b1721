import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));

const notOurs: ReadonlySet<string> = new Set(["node_modules", "coverage", "sample"]);

/** The files of the repository whose names end in one of these, by their paths from its root with forward slashes. */
export function filesEnding(...endings: readonly string[]): string[] {
  const found: string[] = [];
  const look = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (!notOurs.has(entry.name) && !entry.name.startsWith(".")) look(path);
      } else if (endings.some((ending) => entry.name.endsWith(ending))) found.push(path);
    }
  };
  look(root);
  return found.map((path) => relative(root, path).split(sep).join("/")).toSorted();
}

export function textOf(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** One package of the workspace. */
export interface Workspace {
  readonly folder: string;
  readonly name: string;
  readonly dependencies: ReadonlySet<string>;
  readonly devDependencies: ReadonlySet<string>;
}

interface PackageJson {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

function workspaceAt(path: string): Workspace {
  const { name, dependencies = {}, devDependencies = {} } = JSON.parse(textOf(path)) as PackageJson;
  return {
    folder: dirname(path),
    name,
    dependencies: new Set(Object.keys(dependencies)),
    devDependencies: new Set(Object.keys(devDependencies)),
  };
}

/**
 * Every package of the workspace, and every service that is a folder without a package of its own; the root itself is the one
 * in folder ".". Examples are none: they stand for what others write.
 */
export function allWorkspaces(): Workspace[] {
  const packages = filesEnding("package.json")
    .filter((path) => !path.startsWith("examples/"))
    .map(workspaceAt);
  const folders = new Set(packages.map(({ folder }) => folder));
  const services = readdirSync(join(root, "services")).map((name) => `services/${name}`);
  return [...packages, ...services.filter((folder) => !folders.has(folder)).map(bareService)];
}

/** A service that was added by its folder alone may use what every service may, and say what its messages are. */
export function bareService(folder: string): Workspace {
  const dependencies = new Set(["@waybill/contracts", "@waybill/messaging", "arktype"]);
  return { folder, name: `@waybill/${folder.slice("services/".length)}`, dependencies, devDependencies: new Set() };
}

/** The package that a file belongs to; the root for those of no other. */
export function workspaceOf(path: string, workspaces: readonly Workspace[]): Workspace {
  const own = workspaces.find(({ folder }) => path.startsWith(`${folder}/`));
  return own ?? workspaces.find(({ folder }) => folder === ".")!;
}

/** Whether a file is only run by tests. */
export function isTest(path: string): boolean {
  return path.endsWith(".test.ts") || path.startsWith("test/") || path.includes("/test/");
}
