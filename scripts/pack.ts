// Packs the packages that stand without the shop: `npm run pack` writes a tarball of each and says how large it is. Inside of
// the workspace their sources run as they are; Node strips no types inside of node_modules, so what is packed is JavaScript.
import { execFileSync } from "node:child_process";
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** One tarball. */
export interface Packed {
  readonly name: string;
  /** Its whole path. */
  readonly file: string;
  readonly packedBytes: number;
  readonly unpackedBytes: number;
  /** What is in it, by paths from the package's folder. */
  readonly contents: readonly string[];
}

interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly publishConfig?: object;
  readonly exports: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

interface Source {
  readonly folder: string;
  readonly json: PackageJson;
}

/** The oldest Node that what is packed runs on. */
const engines = { node: ">=24.10" };

/** Builds every package that says how it is published, and packs each into a folder, which is made. */
export function pack(to: string): readonly Packed[] {
  const stage = mkdtempSync(join(tmpdir(), "waybill-pack-"));
  try {
    const sources = published();
    const built = build(sources, join(stage, "built"));
    const versions = new Map(sources.map(({ json }) => [json.name, json.version]));
    const folders = sources.map((source) => lay(source, built, stage, versions));
    mkdirSync(to, { recursive: true });
    return packAll(folders, to);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

/** The packages that say how they are published. */
function published(): readonly Source[] {
  return globSync(["packages/*/package.json", "stores/*/package.json", "transports/*/package.json"], { cwd: root })
    .toSorted()
    .map((path) => ({ folder: dirname(path), json: JSON.parse(readFileSync(join(root, path), "utf8")) as PackageJson }))
    .filter(({ json }) => json.publishConfig !== undefined);
}

/** JavaScript and declarations of all of them, in folders as those of the workspace. */
function build(sources: readonly Source[], out: string): string {
  const settings = {
    extends: join(root, "tsconfig.json"),
    compilerOptions: {
      noEmit: false,
      target: "esnext",
      declaration: true,
      rewriteRelativeImportExtensions: true,
      rootDir: root,
      outDir: out,
      typeRoots: [join(root, "node_modules/@types")],
    },
    include: sources.map(({ folder }) => join(root, folder, "src")),
    exclude: [],
  };
  const file = `${out}.json`;
  writeFileSync(file, JSON.stringify(settings));
  execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", file], { stdio: "inherit" });
  return out;
}

/** The folder of a package as it is packed. */
function lay({ folder, json }: Source, built: string, stage: string, versions: ReadonlyMap<string, string>): string {
  const target = join(stage, json.name.replace("@waybill/", ""));
  const dist = join(target, "dist");
  cpSync(join(built, folder, "src"), dist, { recursive: true });
  for (const path of globSync("**/*.{js,d.ts}", { cwd: dist })) rewrite(join(dist, path));
  cpSync(join(root, "LICENSE"), join(target, "LICENSE"));
  writeFileSync(join(target, "README.md"), readme(json));
  writeFileSync(join(target, "package.json"), `${JSON.stringify(manifest(json, versions), undefined, 2)}\n`);
  return target;
}

/** What the compiler leaves: a thread's file is named by a URL, and declarations name sources. */
function rewrite(file: string): void {
  const text = readFileSync(file, "utf8");
  const thread = /new URL\("(\.{1,2}\/[^"]+)\.ts", import\.meta\.url\)/g;
  const source = /((?:from |import\()")(\.{1,2}\/[^"]+)\.ts"/g;
  const clean = text.replace(thread, 'new URL("$1.js", import.meta.url)').replace(source, '$1$2.js"');
  const left = /^(?!\s*(?:\*|\/\/)).*["']\.{1,2}\/[^"'\s]+\.ts["'].*$/m.exec(clean);
  if (left !== null) throw new Error(`${relative(root, file)} still names a source: ${left[0].trim()}`);
  writeFileSync(file, clean);
}

function manifest(json: PackageJson, versions: ReadonlyMap<string, string>): object {
  const { name, version, description, publishConfig, dependencies = {} } = json;
  const exported = Object.entries(json.exports).filter(([, path]) => path.startsWith("./src/"));
  const dist = (path: string, ending: string) => path.replace("./src/", "./dist/").replace(/\.ts$/, ending);
  return {
    name,
    version,
    description,
    license: "Apache-2.0",
    type: "module",
    engines,
    publishConfig,
    files: ["dist"],
    sideEffects: false,
    exports: Object.fromEntries(
      exported.map(([at, path]) => [at, { types: dist(path, ".d.ts"), default: dist(path, ".js") }]),
    ),
    dependencies: Object.fromEntries(
      Object.entries(dependencies).map(([on, range]) => [on, versions.get(on) ?? range]),
    ),
  };
}

function readme({ name, description }: PackageJson): string {
  return `# ${name}\n\n${description}\n\nPart of Waybill, the message backbone for commerce in TypeScript; this package knows nothing of commerce. It runs on Node ${engines.node.slice(2)} or newer.\n`;
}

interface NpmPacked {
  readonly name: string;
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

function packAll(folders: readonly string[], to: string): readonly Packed[] {
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", to, ...folders];
  const told = JSON.parse(execFileSync("npm", args, { encoding: "utf8", maxBuffer: 16_777_216 })) as NpmPacked[];
  return told.map(({ name, filename, size, unpackedSize, files }) => ({
    name,
    // Some versions of npm tell the name with the scope's slash in it.
    file: join(to, filename.replace("@", "").replace("/", "-")),
    packedBytes: size,
    unpackedBytes: unpackedSize,
    contents: files.map(({ path }) => path),
  }));
}

/** A size as people read it. */
export function kib(bytes: number): string {
  return `${Math.round(bytes / 1_024)} KiB`;
}

/** The tarballs and their sizes, for people. */
function packedText(packed: readonly Packed[]): string {
  const width = Math.max(...packed.map(({ name }) => name.length));
  const line = (name: string, a: string, b: string) => `${name.padEnd(width)}  ${a.padStart(8)}  ${b.padStart(8)}`;
  const lines = packed.map(({ name, packedBytes, unpackedBytes }) => line(name, kib(packedBytes), kib(unpackedBytes)));
  return [line("", "packed", "unpacked"), ...lines].join("\n");
}

if (import.meta.main) {
  const to = resolve(process.argv[2] ?? join(root, ".packed"));
  process.stdout.write(`${packedText(pack(to))}\n\nin ${to}\n`);
}
