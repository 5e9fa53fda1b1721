import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serviceFiles } from "../apps/cli/src/new/service-files.ts";
import { filesEnding, root, textOf } from "./boundaries/files.ts";
import { anchorsOf, blocksOf, commandsOf, linksOf } from "./readme/markdown.ts";
import { output, sentByFetch, start, wordsOf } from "./readme/shell.ts";

const pages = filesEnding(".md").map((path) => ({ path, page: textOf(path) }));
const readme = textOf("README.md");
const { scripts } = JSON.parse(textOf("package.json")) as { scripts: Record<string, string> };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "waybill-readme-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("links", () => {
  const broken = (path: string, page: string) =>
    linksOf(path, page)
      .filter((link) => {
        if (!existsSync(join(root, link.path))) return true;
        return link.anchor !== undefined && !anchorsOf(textOf(link.path)).has(link.anchor);
      })
      .map(({ text }) => `${path}: ${text}`);

  test("of all pages lead somewhere", () => {
    expect(pages.flatMap(({ path, page }) => linksOf(path, page)).length).toBeGreaterThan(40);
    expect(pages.flatMap(({ path, page }) => broken(path, page))).toEqual([]);
  });

  test.each([
    ["a file that is not there", "README.md", "[a](docs/nowhere.md)"],
    ["a file of another folder", "docs/architecture.md", "[a](README.md)"],
    ["a heading that is not there", "docs/architecture.md", "[a](guarantees.md#no-such-thing)"],
    ["a heading of its own that is not there", "README.md", "[a](#no-such-thing)"],
  ])("to %s are found", (_, path, page) => {
    expect(broken(path, page)).toHaveLength(1);
  });

  test("to headings are found where they are", () => {
    expect(broken("docs/architecture.md", "[a](../README.md#what-it-guarantees) [b](#the-embedded-engine)")).toEqual(
      [],
    );
  });
});

describe("commands", () => {
  const help = new Map<string, string>();
  beforeAll(async () => {
    help.set("", await output("npx", "waybill", "--help"));
    await Promise.all(commandsIn(help.get("")!).map(async (name) => help.set(name, await helpOf(name))));
  }, 120_000);

  /** The commands that a help text lists. */
  function commandsIn(text: string): readonly string[] {
    const listed = /\nCommands:\n(.*?)(?:\n\n|$)/s.exec(text)?.[1] ?? "";
    return [...listed.matchAll(/^ {2}(?!help )([a-z-]+)/gm)].map(([, name]) => name!);
  }

  /** The help of a command, and of all commands under it. */
  async function helpOf(...path: readonly string[]): Promise<string> {
    const own = await output("npx", "waybill", ...path, "--help");
    const under = await Promise.all(commandsIn(own).map((name) => helpOf(...path, name)));
    return [own, ...under].join("\n");
  }

  /** What is wrong with a command that a page shows; undefined when nothing is, or it is not one of ours. */
  function wrong(command: string): string | undefined {
    const words = wordsOf(command).filter((word) => !/^[A-Z_]+=/.test(word));
    const [program, ...rest] = words;
    if (program === "npx" && rest[0] === "waybill") return wrongOption(rest.slice(1));
    if (program === "waybill") return wrongOption(rest);
    if (program !== "npm") return undefined;
    const script = rest[0] === "run" ? rest[1]! : rest[0]!;
    if (script in scripts || ["ci", "install"].includes(script)) return undefined;
    return `${command}: package.json has no script ${script}`;
  }

  function wrongOption(words: readonly string[]): string | undefined {
    const [name = "", ...rest] = words[0]?.startsWith("-") === true ? ["", ...words] : words;
    const text = help.get(name);
    if (text === undefined) return `waybill has no command ${name}`;
    const known = new Set(text.match(/(?<![\w-])--?[a-z][a-z-]*/g));
    const unknown = rest.filter((word) => word.startsWith("-") && !known.has(word.split("=")[0]!));
    return unknown.length === 0 ? undefined : `waybill ${name} has no ${unknown.join(", ")}`;
  }

  test("of all pages exist, with their options", () => {
    const shown = pages.flatMap(({ page }) => commandsOf(page));
    expect(shown).toEqual(expect.arrayContaining(["npm ci", "npm start", "npm test", "npx waybill replay sample"]));
    expect(help.size).toBeGreaterThanOrEqual(5);
    expect(shown.map(wrong).filter((problem) => problem !== undefined)).toEqual([]);
  });

  test.each([
    "npm run nothing",
    "npx waybill nothing",
    "npx waybill replay sample --no-such",
    "waybill start --nothing 1",
  ])("that do not exist are found: %s", (command) => {
    expect(wrong(command)).toBeDefined();
  });

  test("that CI runs are those of the README, and then a torture, a fuzzer and the suites on real servers", () => {
    const told = blocksOf(readme, "sh").find((block) => block.includes("npm test"))!;
    const commands = commandsOf(`\`\`\`sh\n${told}\`\`\`\n`);
    const steps = [...textOf(".ci/run").matchAll(/^step (.*)$/gm)].map(([, step]) => step!);
    expect(steps.filter((step) => commands.includes(step))).toEqual(commands);
    const others = steps.filter((step) => !commands.includes(step));
    expect(others).toEqual([
      ".ci/programs",
      "npm run brokers -- install",
      "npm run torture -- --minutes 2",
      "npm run fuzz -- --examples 10 --seconds 60",
      "npm run test:brokers",
    ]);
  });
});

test("the service in the README is the one that is written, compiled and tried", () => {
  const files = serviceFiles("loyalty");
  expect(blocksOf(readme, "ts")).toEqual([files["src/contract.ts"], files["src/rules.ts"], files["src/service.ts"]]);
});

test(
  "npm start prints a line that places an order and shows each message of its life",
  { timeout: 120_000 },
  async () => {
    const data = join(folder, "shop");
    await using shop = start("npm", "start", "--", "--data", data, "--port", "0");
    const text = await shop.printed(/^curl .*\n/m);
    expect(text).toMatch(/http:\/\/127\.0\.0\.1:\d+/);
    expect(text).toContain(data);
    const line = /^curl .*$/m.exec(text)![0];
    const hasCurl = await output("curl", "--version").then(
      () => true,
      () => false,
    );
    const answers = [await sentByFetch(line), ...(hasCurl ? [await output("bash", "-c", line)] : [])];
    for (const answer of answers) expectWholeLife(JSON.parse(answer) as Answer);
    const { orderId } = JSON.parse(answers[0]!) as Answer;
    expect(await output("npx", "waybill", "order", orderId, "--data", data)).toContain("order.completed");
    expect(await output("npx", "waybill", "lanes", "--data", data)).toContain("inventory");
  },
);

interface Answer {
  readonly orderId: string;
  readonly status: string;
  readonly history: readonly { readonly type: string; readonly topic: string; readonly offset: number }[];
}

function expectWholeLife({ status, history }: Answer): void {
  expect(status).toBe("completed");
  const types = history.map(({ type }) => type);
  for (const type of ["order.place", "order.confirmed", "order.shipped", "order.completed"])
    expect(types).toContain(type);
  for (const { topic, offset } of history) {
    expect(topic).toMatch(/^[a-z-]+$/);
    expect(offset).toBeGreaterThanOrEqual(0);
  }
}

test("npx waybill replay sample plays the month and checks itself", { timeout: 240_000 }, async () => {
  const text = await output("npx", "waybill", "replay", "sample", "--data", join(folder, "replay"), "--json");
  const report = JSON.parse(text) as { ok: boolean; ordersCompleted: number; revenueByMonth: Record<string, number> };
  expect(report).toMatchObject({ ok: true, ordersCompleted: 1_559 });
  expect(Object.keys(report.revenueByMonth)).toEqual(["2010-12"]);
});
