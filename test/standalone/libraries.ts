import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../boundaries/files.ts";

interface Manifest {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const folderOf = (name: string) => join(root, "node_modules", name);

/** These libraries and all that they need, as names of packages that this checkout has installed. */
function withDependencies(names: readonly string[]): readonly string[] {
  const all = new Set<string>();
  const add = (name: string): void => {
    if (all.has(name)) return;
    if (!existsSync(folderOf(name))) throw new Error(`${name} is not installed; run npm ci.`);
    all.add(name);
    const { dependencies = {} } = JSON.parse(readFileSync(join(folderOf(name), "package.json"), "utf8")) as Manifest;
    Object.keys(dependencies).forEach(add);
  };
  names.forEach(add);
  return [...all];
}

/** Packs libraries, with all that they need, from where they are installed: then npm needs no network for them. By name, the tarball. */
export function packLibraries(names: readonly string[], to: string): Readonly<Record<string, string>> {
  const all = withDependencies(names);
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", to, ...all.map(folderOf)];
  const told = JSON.parse(execFileSync("npm", args, { encoding: "utf8", maxBuffer: 16_777_216 })) as readonly {
    readonly name: string;
    readonly filename: string;
  }[];
  return Object.fromEntries(
    told.map(({ name, filename }) => [name, join(to, filename.replace("@", "").replace("/", "-"))]),
  );
}
