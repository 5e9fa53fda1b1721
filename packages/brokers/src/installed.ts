import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { repository } from "./repository.ts";

const run = promisify(execFile);

/** Where programs that we install are kept: a folder for each version. */
function cacheFolder(): string {
  return process.env["WAYBILL_PROGRAMS"] ?? join(repository, ".brokers", "programs");
}

/** Told of what takes long. */
export type Progress = (line: string) => void;

/**
 * The cache's folder of that name, filled if it is not there. Filled under another name and then renamed: processes
 * that do so at the same time do not disturb each other, and one that was killed leaves nothing that looks complete.
 */
export async function installed(
  name: string,
  progress: Progress | undefined,
  install: (folder: string) => Promise<void>,
): Promise<string> {
  const cache = cacheFolder();
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const attempt = mkdtempSync(join(cache, `.${name}-`));
  const began = Date.now();
  progress?.(`installing ${name} into ${cache} …`);
  try {
    await install(attempt);
    renameSync(attempt, folder);
    progress?.(`installed ${name} in ${Math.round((Date.now() - began) / 1000)} s`);
  } catch (error) {
    rmSync(attempt, { recursive: true, force: true });
    // Another process was faster: its folder is as good.
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

/** Runs a program that fetches and builds; when it fails, the error has its last words. */
export async function installing(program: string, args: readonly string[], env: Record<string, string>): Promise<void> {
  try {
    await run(program, args, { env: { ...process.env, ...env }, maxBuffer: 1 << 26 });
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    const said = `${stdout ?? ""}${stderr ?? ""}`.trim().split("\n").slice(-15).join("\n");
    throw new Error(`${program} ${args.join(" ")} failed; it needs the network. It said:\n${said}`, { cause: error });
  }
}
