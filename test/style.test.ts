import { describe, expect, test } from "vitest";
import { filesEnding, textOf } from "./boundaries/files.ts";

const linesMax = 400;

/** What has no place in a file, by what to say of it. Written in parts, so that this file does not find itself. */
const unwanted: readonly { readonly what: string; readonly pattern: RegExp; readonly only?: RegExp }[] = [
  { what: "unfinished work", pattern: new RegExp(`\\b(?:${["TO", "DO|FIX", "ME|HA", "CK"].join("")})\\b`) },
  {
    what: "a test that is singled out, left out or expected to fail",
    pattern: /\b(?:test|it|describe|suite)(?:\.\w+)*\.(?:only|skip|skipIf|runIf|todo|fails)\b/,
    only: /\.ts$/,
  },
  { what: "a comment that hides an error of types", pattern: new RegExp(["@ts-", "(?:ignore|nocheck)"].join("")) },
  {
    what: "a path on somebody's machine",
    pattern: new RegExp(`(?<![\\w.])/(?:${["ho", "me|Us", "ers|wo", "rk"].join("")})/`),
  },
  {
    what: "a word that stands for any piece of code",
    pattern: new RegExp(`\\b(?:${["hel", "pers?"].join("")})\\b`, "i"),
  },
  {
    what: "a note to a colleague",
    pattern: new RegExp(`\\b(?:${["sub-?ag", "ents?|the ag", "ents?|code rev", "iewer"].join("")})\\b`, "i"),
  },
];
const vagueNames = /(?:^|[/-])(?:manager|util|misc|common|abstract|base)s?(?:\.|$)/;

/** The problems of one file. */
function problemsOf(path: string, text: string): string[] {
  const problems = unwanted.flatMap(({ what, pattern, only }) => {
    const found = only === undefined || only.test(path) ? pattern.exec(text) : null;
    return found === null ? [] : [`${path}:${lineOf(text, found.index)} has ${what}: ${found[0]}`];
  });
  const lines = text.split("\n").length - 1;
  if (/\.[tj]s$/.test(path) && lines > linesMax) problems.push(`${path} has ${lines} lines; ${linesMax} are the most.`);
  if (vagueNames.test(path)) problems.push(`${path} has a name that says nothing.`);
  if (/[^a-z0-9/.-]/.test(path.replace(/\b[A-Z]+\.md$/, ""))) problems.push(`${path} is not in kebab-case.`);
  return problems;
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

describe("the repository's files", () => {
  const files = filesEnding(".ts", ".js", ".md");

  test("are short, finished, and named for what they hold", () => {
    expect(files.length).toBeGreaterThan(200);
    expect(files.flatMap((path) => problemsOf(path, textOf(path)))).toEqual([]);
  });
});

describe("a problem is found", () => {
  test.each([
    ["src/a.ts", `const a = 1; // ${["TO", "DO"].join("")}: count`, "unfinished work"],
    ["docs/a.md", `${["FIX", "ME"].join("")} later`, "unfinished work"],
    ["src/a.test.ts", ["test.on", `ly("a", () => {});`].join(""), "singled out"],
    ["src/a.test.ts", ["describe.sk", `ip("a", () => {});`].join(""), "left out"],
    ["src/a.test.ts", ["test.concurrent.sk", `ip("a", () => {});`].join(""), "left out"],
    ["src/a.ts", `// ${["@ts-", "ignore"].join("")}`, "hides an error"],
    ["src/a.ts", `const folder = "${["/ho", "me/ann/shop"].join("")}";`, "somebody's machine"],
    ["src/a.ts", `// A ${["hel", "per"].join("")} of orders.`, "any piece of code"],
    ["src/a.ts", "const a = 1;\n".repeat(linesMax + 1), "401 lines"],
    ["src/order-util.ts", "", "says nothing"],
    ["src/base.ts", "", "says nothing"],
    ["src/OrderTable.ts", "", "kebab-case"],
  ])("%s: %s", (path, text, expected) => {
    expect(problemsOf(path, text).join("\n")).toContain(expected);
  });

  test.each([
    ["src/fine.ts", "const a = 1;\n".repeat(linesMax)],
    ["src/fine.test.ts", `test("a", () => {}); spec.only("b");`],
    ["README.md", "Fine."],
  ])("and none where there is none: %s", (path, text) => {
    expect(problemsOf(path, text)).toEqual([]);
  });
});
