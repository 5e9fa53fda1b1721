import { parseSync } from "oxc-parser";
import { globSync } from "node:fs";
import { posix } from "node:path";
import { describe, expect, test } from "vitest";
import { root, textOf } from "./boundaries/files.ts";

/** The packages that are published: those that say how. */
const packages = globSync(["packages/*/package.json", "stores/*/package.json", "transports/*/package.json"], {
  cwd: root,
})
  .filter((path) => "publishConfig" in (JSON.parse(textOf(path)) as object))
  .map((path) => posix.dirname(path))
  .toSorted();

interface Exported {
  readonly name: string;
  /** The file that declares it. */
  readonly file: string;
}

/** What a package lets others import, by its index. */
function exportsOf(folder: string): readonly Exported[] {
  const index = `${folder}/src/index.ts`;
  const { module } = parseSync(index, textOf(index));
  return module.staticExports.flatMap(({ entries }) =>
    entries.map(({ importName, exportName, moduleRequest }) => ({
      name: importName.name ?? exportName.name ?? "",
      file: posix.join(folder, "src", moduleRequest?.value ?? "./index.ts"),
    })),
  );
}

/** Whether a text declares and exports something, with a docstring right in front of it. */
function isTold(text: string, name: string): boolean {
  const declared = `export (?:async )?(?:function\\*?|const|interface|type|class) ${name}\\b`;
  return new RegExp(`\\*/\\n(?:// oxlint[^\\n]*\\n)?${declared}`).test(text);
}

describe.each(packages)("%s", (folder) => {
  test("says of everything that it exports what it is", () => {
    const all = exportsOf(folder);
    expect(all.length).toBeGreaterThan(1);
    const bare = all.filter(({ name, file }) => !isTold(textOf(file), name));
    expect(bare.map(({ name, file }) => `${name} in ${file}`)).toEqual([]);
  });
});

test.each([
  ["/** What it is. */\nexport function one(): void {}", true],
  ["/** What it is. */\n// oxlint-disable-next-line no-x -- so\nexport type one = string;", true],
  ["export interface one {}", false],
  ["/** Of another. */\nexport const two = 1;\nexport const one = 2;", false],
])("a docstring is found where there is one: %j", (text, expected) => {
  expect(isTold(text, "one")).toBe(expected);
});
