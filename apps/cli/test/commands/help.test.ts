import { readFile } from "node:fs/promises";
import { CommanderError } from "commander";
import { describe, expect, it } from "vitest";
import { exitCodes, exitHelp } from "../../src/exit.ts";
import { createProgram } from "../../src/program.ts";
import { here } from "./here.ts";
import { waybill } from "./waybill.ts";

const named = createProgram().commands.map((command) => command.name());
/** Those that end with codes of their own, which their help tells. */
const own = new Set(["audit"]);

describe("help", () => {
  it("tells every command, and what the program exits with", async () => {
    const { code, stdout } = await waybill("--help");
    expect(code).toBe(0);
    for (const name of named) expect(stdout).toMatch(new RegExp(`^  ${name} `, "m"));
    expect(stdout).toContain(exitHelp());
    for (const { code: number, text } of Object.values(exitCodes)) expect(exitHelp()).toContain(`${number}  ${text}`);
  });

  it.each(named.filter((name) => !own.has(name)))("of %s has examples, --json and the exit codes", async (name) => {
    const { code, stdout } = await here(name, "--help");
    expect(code).toBe(0);
    expect(stdout).toContain("Examples:");
    expect(stdout).toContain("--json");
    expect(stdout).toContain(exitHelp());
  });

  it("shows the version", async () => {
    expect((await waybill("--version")).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe("a wrong command line", () => {
  it.each([
    [["strat"], "Did you mean start?"],
    [["start", "--port", "99999"], "A port is a whole number from 0 to 65535."],
    [["start", "--dispatch-after", "soon"], "Give seconds"],
    [["start", "--gateway", "nowhere"], "give an address such as"],
    [["replay"], "missing required argument 'file'"],
    [["replay", "sample", "--stock", "2"], "a share from 0 to 1"],
    [["replay", "sample", "--speed", "fast"], "how many times faster than life"],
    [["order"], "missing required argument 'id'"],
    [["lanes", "--jsno"], "unknown option '--jsno'"],
  ])("%j exits with 2 and says why", async (args, why) => {
    const { code, stdout, stderr } = await waybill(...args);
    expect(stderr).toContain(why);
    expect(code).toBe(exitCodes.usage.code);
    expect(stdout).toBe("");
    expect(stderr).not.toMatch(/^ {4}at /m);
  });
});

describe("the documents", () => {
  it.each(["cli.md", "replay.md"])("show commands in %s that can be given", async (name) => {
    const text = await readFile(new URL(`../../../../docs/${name}`, import.meta.url), "utf8");
    const shown = [...text.matchAll(/^(?:\$ )?npx waybill ([^#\n]*)/gm)].map(([, rest = ""]) =>
      (rest.match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', "")),
    );
    expect(shown.length).toBeGreaterThan(2);
    for (const args of shown) {
      const program = createProgram();
      program.hook("preAction", () => {
        throw new CommanderError(0, "understood", args.join(" "));
      });
      const given = program.parseAsync(args, { from: "user" }).catch((error: CommanderError) => error);
      expect(await given).toMatchObject({ code: "understood", message: args.join(" ") });
    }
  });
});
