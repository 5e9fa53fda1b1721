import { parseSync } from "oxc-parser";
import { describe, expect, it } from "vitest";
import { identifierOf, serviceFiles } from "../../src/new/service-files.ts";
import { nameProblem } from "../../src/new/service-name.ts";
import { here } from "../commands/here.ts";

const nothing = { services: [], topics: [], messages: [] };

describe("a service's name", () => {
  it.each(["loyalty", "gift-cards", "returns2", "b2b-quotes", "a", "x".repeat(30)])("may be %s", (name) => {
    expect(nameProblem(name, nothing)).toBeUndefined();
  });

  it.each([
    ["Loyalty", "such as loyalty."],
    ["giftCards", "such as gift-cards."],
    ["gift_cards", "such as gift-cards."],
    ["gift--cards", "such as gift-cards."],
    ["-gift", "such as gift."],
    ["2gifts", "such as gifts."],
    ["", "such as loyalty."],
    ["../../etc", "such as etc."],
    ["gift/cards", "such as gift-cards."],
    ["x".repeat(31), "at most 30 characters; this has 31"],
    ["class", "a word of the language"],
    ["service", "the code of a service uses that word"],
    ["order-completed", "the code of a service uses that word"],
    ["api", "`--only api` is the HTTP interface"],
    ["sample", "passed over by the tests"],
    ["utils", "says nothing of what it does"],
    ["gift-manager", "says nothing of what it does"],
  ])("cannot be %j", (name, why) => {
    expect(nameProblem(name, nothing)).toContain(why);
  });

  it("differs from every service, topic and message", () => {
    const taken = { services: ["gift-cards"], topics: ["stock"], messages: ["stock-level.counted"] };
    expect(nameProblem("gift-cards", taken)).toBe("There is a service gift-cards already.");
    expect(nameProblem("stock", taken)).toContain("There is a topic stock already");
    expect(nameProblem("stock-level", taken)).toBe("There is a message stock-level.counted already.");
  });

  it("is refused when the code that is written for it has the name for something else", () => {
    const names = Object.values(serviceFiles("some-name")).flatMap(declaredIn);
    expect(names).toEqual(expect.arrayContaining(["orderCompleted", "tally", "counted", "told", "specification"]));
    const others = names.filter((name) => /^[a-z]/.test(name) && !name.startsWith(identifierOf("some-name")));
    for (const name of others) {
      const kebab = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      expect(nameProblem(kebab, nothing), kebab).toContain("uses that word");
    }
  });
});

/** The names that a file imports or declares. */
function declaredIn(text: string): string[] {
  const { module, program, errors } = parseSync("file.ts", text);
  expect(errors).toEqual([]);
  const imported = module.staticImports.flatMap(({ entries }) => entries.map(({ localName }) => localName.value));
  const declared = program.body.flatMap((statement) => {
    const inner = statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
    if (inner?.type === "FunctionDeclaration") return inner.id === null ? [] : [inner.id.name];
    if (inner?.type !== "VariableDeclaration") return [];
    return inner.declarations.flatMap(({ id }) => (id.type === "Identifier" ? [id.name] : []));
  });
  return [...imported, ...declared];
}

describe("waybill new service", () => {
  it.each([
    [["service"], 2, "missing required argument 'name'"],
    [["thing", "loyalty"], 2, "unknown command"],
    [["service", "Loyalty"], 2, "such as loyalty."],
    [["service", "orders"], 2, "There is a service orders already."],
    [["service", "products"], 2, "There is a topic products already"],
    [["service", "of-a-test", "--in", "/"], 1, "/ is in no checkout of Waybill"],
  ])("%j is wrong", async (args, exit, why) => {
    const { code, stderr } = await here("new", ...args);
    expect([code, stderr]).toEqual([exit, expect.stringContaining(why)]);
  });

  it("tells what it would write", async () => {
    const { code, stdout } = await here("new", "service", "of-a-test", "--dry-run", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      service: "of-a-test",
      line: 'export { ofATest } from "../../../services/of-a-test/src/index.ts";',
    });
    expect((await here("new", "service", "of-a-test", "--dry-run")).stdout).toMatch(/^Would write\n/);
    expect((await here("new", "service", "--help")).stdout).toContain("Examples:");
  });
});
