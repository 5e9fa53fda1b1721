import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The path of a program on PATH, else in one of the other folders. */
export function which(name: string, others: readonly string[] = []): string | undefined {
  return [...searchPath(), ...others].map((folder) => join(folder, name)).find(isProgram);
}

export function searchPath(): string[] {
  return (process.env["PATH"] ?? "").split(delimiter).filter(Boolean);
}

export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The first number with points that the program says; undefined if it cannot be run. */
export async function versionOf(path: string, flag: string): Promise<string | undefined> {
  try {
    const { stdout, stderr } = await run(path, [flag]);
    return /\d+(?:\.\d+)*/.exec(stdout + stderr)?.[0];
  } catch {
    return undefined;
  }
}

export function isAtLeast(version: string | undefined, least: readonly number[]): boolean {
  if (version === undefined) return false;
  const parts = version.split(".").map(Number);
  const differing = least.findIndex((number, at) => number !== (parts[at] ?? 0));
  return differing === -1 || (parts[differing] ?? 0) > least[differing]!;
}

/** The error for a program that cannot be had: what was looked for, where, and what somebody may do. */
export function missing(what: string, where: string, install: string): Error {
  return new Error(`${what} is needed and was not found; looked ${where}. Install ${install}.`);
}
