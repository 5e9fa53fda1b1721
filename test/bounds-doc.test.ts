import { expect, test } from "vitest";
import { textOf } from "./boundaries/files.ts";

const page = textOf("docs/architecture.md");
const sources = [
  "packages/messaging/src/lane/limits.ts",
  "packages/messaging/src/shared-reading/feeds.ts",
  "stores/sqlite/src/file.ts",
]
  .map(textOf)
  .join("\n");

const rows = [...page.matchAll(/^\| [^|]+ \| `(\w+)` \| ([\d,.]+)(?: (\w+))? \|$/gm)].map(([, name, number, unit]) => ({
  name: name!,
  value: Number(number!.replaceAll(",", "")) * (unit === "MiB" ? 1_048_576 : 1),
}));

/** The default of a limit, written in the source as a number or a product of numbers. */
function defaultOf(name: string): number | undefined {
  const found = new RegExp(`\\b${name}: ([\\d_]+(?: \\* [\\d_]+)*)[,\\s}]`).exec(sources);
  const factors = found?.[1]!.split(" * ").map((factor) => Number(factor.replaceAll("_", "")));
  return factors?.reduce((product, factor) => product * factor, 1);
}

test("the table of bounds is the code's", () => {
  expect(rows.length).toBeGreaterThan(12);
  expect(rows).toEqual(rows.map(({ name }) => ({ name, value: defaultOf(name) })));
});
