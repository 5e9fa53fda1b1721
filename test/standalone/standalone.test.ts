import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pack, type Packed } from "../../scripts/pack.ts";
import { root, textOf } from "../boundaries/files.ts";
import { outputIn } from "../readme/shell.ts";
import { packLibraries } from "./libraries.ts";

let folder: string;
let packed: readonly Packed[];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "waybill-standalone-"));
  packed = pack(join(folder, "packed"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

describe("what is packed", () => {
  test("is every package that says how it is published", () => {
    expect(packed.map(({ name }) => name)).toEqual([
      "@waybill/conformance",
      "@waybill/memory",
      "@waybill/messaging",
      "@waybill/node",
      "@waybill/store-postgres",
      "@waybill/store-sqlite",
      "@waybill/transport-embedded",
      "@waybill/transport-kafka",
      "@waybill/transport-nats",
    ]);
  });

  test("is JavaScript with its declarations, and nothing else", () => {
    for (const { name, contents } of packed) {
      const rest = contents.filter((path) => !/^dist\/.*\.(?:js|d\.ts)$/.test(path));
      expect(rest.toSorted(), name).toEqual(["LICENSE", "README.md", "package.json"]);
      const scripts = contents.filter((path) => path.endsWith(".js"));
      for (const path of scripts) expect(contents, name).toContain(path.replace(/\.js$/, ".d.ts"));
    }
  });

  test("has what its exports name, and its own version of the others", () => {
    for (const { file, contents } of packed) {
      const json = execFileSync("tar", ["-xzOf", file, "package/package.json"], { encoding: "utf8" });
      const { exports, dependencies } = JSON.parse(json) as {
        readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string }>>;
        readonly dependencies: Readonly<Record<string, string>>;
      };
      expect(exports).toHaveProperty(["."]);
      for (const { types, default: code } of Object.values(exports))
        expect(contents).toEqual(expect.arrayContaining([types.slice(2), code.slice(2)]));
      for (const [name, range] of Object.entries(dependencies)) expect(range, name).toMatch(/^\^?\d/);
    }
  });

  test("is about as large as the documents say", () => {
    const page = textOf("docs/using-the-packages.md");
    const told = new Map(
      [...page.matchAll(/^\| `(@\S+)` \| (\d+) KiB \| (\d+) KiB \|$/gm)].map((row) => [row[1], row]),
    );
    expect([...told.keys()]).toEqual(packed.map(({ name }) => name));
    for (const { name, packedBytes, unpackedBytes } of packed) {
      const [, , small, large] = told.get(name)!;
      for (const [kib, bytes] of [
        [Number(small), packedBytes],
        [Number(large), unpackedBytes],
      ] as const) {
        expect(kib / (bytes / 1_024), `${name} has ${bytes} bytes; npm run pack tells all sizes`).toBeGreaterThan(0.8);
        expect(kib / (bytes / 1_024), `${name} has ${bytes} bytes; npm run pack tells all sizes`).toBeLessThan(1.25);
      }
    }
  });
});

describe("the example outside of the workspace", { timeout: 60_000 }, () => {
  let app: string;
  const node = (...args: readonly string[]) => outputIn(app, process.execPath, ...args);
  beforeAll(async () => {
    app = join(folder, "app");
    cpSync(join(root, "examples/standalone"), app, {
      recursive: true,
      filter: (path) => !/node_modules|package-lock|\.library/.test(path.slice(root.length)),
    });
    const file = join(app, "package.json");
    const json = JSON.parse(readFileSync(file, "utf8")) as { dependencies: Record<string, string> };
    for (const [name, from] of Object.entries(json.dependencies)) {
      if (!from.startsWith("file:")) continue;
      // The very tarballs that the example's package.json asks for.
      json.dependencies[name] = from.replace("file:../../.packed", `file:${join(folder, "packed")}`);
    }
    mkdirSync(join(folder, "libraries"));
    const libraries = packLibraries(["arktype", "@standard-schema/spec", "@types/node"], join(folder, "libraries"));
    for (const [name, tarball] of Object.entries(libraries)) json.dependencies[name] = `file:${tarball}`;
    // The compiler is the checkout's: it is a program for this machine, and no part of what is tried.
    writeFileSync(file, JSON.stringify({ ...json, devDependencies: {} }));
    await outputIn(app, "npm", "install", "--offline", "--no-audit", "--no-fund", `--cache=${join(folder, "cache")}`);
  }, 60_000);

  test("fits its types, by its own settings", async () => {
    await expect(node(join(root, "node_modules/typescript/bin/tsc"), "-p", ".")).resolves.toBe("");
  });

  test("passes its tests on plain Node", async () => {
    await expect(node("--test", "test/*.ts")).resolves.toMatch(/pass 6\n.*fail 0/s);
  });

  test("runs, and remembers", async () => {
    const run = () => node("src/main.ts", join(folder, "books"));
    const first = await run();
    expect(first).toMatch(/^loan\.begun .*"readerId":"ann".*\nloan\.refused .*"readerId":"bob"/);
    expect((await run()).split("\n")[0]).toBe(first.split("\n")[0]);
  });
});
