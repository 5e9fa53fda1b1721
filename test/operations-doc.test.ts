import { parseSync, type Node } from "oxc-parser";
import { expect, test } from "vitest";
import { filesEnding, isTest, textOf } from "./boundaries/files.ts";

/** What runs within a server, and so writes to its log. */
const logged = ["apps/server/src/", "apps/auditor/src/live/", "packages/messaging/src/", "stores/", "transports/"];
const sources = filesEnding(".ts").filter(
  (path) => logged.some((folder) => path.startsWith(folder)) && path.includes("/src/") && !isTest(path),
);

type Loose = Node & Readonly<Record<string, unknown>>;

/** The texts that a file logs as a warning or an error: `log("warn", "A text.")`, whatever the log is a member of. */
function troublesIn(path: string, text: string): string[] {
  const found: string[] = [];
  walk(parseSync(path, text).program as unknown as Loose, (node) => {
    if ((node.type as string) !== "CallExpression") return;
    const callee = node["callee"] as Loose;
    const name = (callee["property"] as Loose | undefined)?.["name"] ?? callee["name"];
    const [level, said] = node["arguments"] as Loose[];
    if (name !== "log" || level === undefined || said === undefined) return;
    const words = wordsOf(said);
    if (words !== "" && /\b(?:warn|error)\b/.test(text.slice(level.start, level.end))) found.push(words);
  });
  return found;
}

/** A text as it stands in the code, with an ellipsis for what is filled in; empty for one that comes from elsewhere. */
function wordsOf(said: Loose): string {
  if (typeof said["value"] === "string") return said["value"];
  const quasis = (said["quasis"] ?? []) as readonly { readonly value: { readonly cooked: string } }[];
  return quasis.map(({ value }) => value.cooked).join("…");
}

function walk(node: Loose, visit: (node: Loose) => void): void {
  visit(node);
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (typeof child === "object" && child !== null && typeof (child as Loose).type === "string")
        walk(child as Loose, visit);
    }
  }
}

/** The lines that docs/operations.md explains. */
function explained(): string[] {
  const section = textOf("docs/operations.md").split("### What the log warns of\n")[1]?.split(/^##/m)[0] ?? "";
  return [...section.matchAll(/^\| (.+?) \| .+ \|$/gm)].map(([, text]) => text!).slice(1);
}

test("every warning and every error of the log is explained in docs/operations.md, and none that is not logged", () => {
  const said = [...new Set(sources.flatMap((path) => troublesIn(path, textOf(path))))];
  expect(said.length).toBeGreaterThan(15);
  expect(explained().toSorted()).toEqual(said.toSorted());
});

test.each([
  [`world.log("error", "It broke.", {});`, ["It broke."]],
  ["this.#world.log(isBad ? 'error' : 'warn', `Of ${name}.`);", ["Of …."]],
  [`log("warn", "Again.")`, ["Again."]],
  [`log("info", "Fine.")`, []],
  [`other("warn", "Fine.")`, []],
])("what is logged is found: %s", (text, expected) => {
  expect(troublesIn("snippet.ts", text)).toEqual(expected);
});

test("every alarm is of a figure that there is, and says what to do", () => {
  const page = textOf("docs/operations.md");
  const figures = new Set([...page.matchAll(/^\| `((?:waybill|process)_\w+)` \|/gm)].map(([, name]) => name!));
  const alarms = [
    ...page
      .split("## Alarms\n")[1]!
      .split(/^##/m)[0]!
      .matchAll(/^\| (\w+) \| (`.+`.*?) \| (.+) \|$/gm),
  ];
  expect(alarms.length).toBeGreaterThan(8);
  for (const [, alarm, when, todo] of alarms) {
    expect(todo!.length, alarm).toBeGreaterThan(30);
    for (const [name] of when!.matchAll(/waybill_\w+/g)) expect(figures, alarm).toContain(name);
  }
});
