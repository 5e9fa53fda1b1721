import { CommanderError } from "commander";
import { vi } from "vitest";
import { exitCodes, explain } from "../../src/exit.ts";
import { createProgram } from "../../src/program.ts";
import type { Ended } from "./waybill.ts";

/** Runs a command line in this process, which is much quicker than a program of its own. One at a time. */
export async function here(...args: readonly string[]): Promise<Ended> {
  const said = { stdout: "", stderr: "" };
  const spies = (["stdout", "stderr"] as const).map((name) =>
    vi.spyOn(process[name], "write").mockImplementation((chunk) => {
      said[name] += String(chunk);
      return true;
    }),
  );
  const before = process.exitCode;
  process.exitCode = undefined;
  try {
    await createProgram().parseAsync([...args], { from: "user" });
    return { code: exitCodeNow(), ...said };
  } catch (error) {
    if (error instanceof CommanderError) return { code: error.exitCode === 0 ? 0 : exitCodes.usage.code, ...said };
    const { exit, text } = explain(error);
    return { code: exitCodes[exit].code, stdout: said.stdout, stderr: `${said.stderr}waybill: ${text}\n` };
  } finally {
    process.exitCode = before;
    for (const spy of spies) spy.mockRestore();
  }
}

/** What the process would exit with now. */
function exitCodeNow(): number {
  return Number(process.exitCode ?? 0);
}
