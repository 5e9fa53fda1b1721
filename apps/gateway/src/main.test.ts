import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const main = fileURLToPath(new URL("main.ts", import.meta.url));
let folder: string;
let started: ChildProcess | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "waybill-gateway-"));
});
afterEach(() => {
  started?.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

function run(...args: string[]) {
  const child = spawn(process.execPath, [main, ...args], { stdio: ["pipe", "pipe", "pipe"] });
  started = child;
  const ended = once(child, "close");
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  return { child, ended, errors: () => errors };
}

async function listening(child: ChildProcess): Promise<{ url: string; pid: number; seed: number }> {
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  return JSON.parse(line.toString()) as { url: string; pid: number; seed: number };
}

const order = { reference: "order-1", amount: 1_000, currency: "EUR", token: "tok_approved" };

async function authorise(url: string): Promise<{ status: number; id: unknown }> {
  const headers = { "content-type": "application/json", "idempotency-key": "k" };
  const response = await fetch(`${url}/payments`, {
    method: "POST",
    headers,
    body: JSON.stringify(order),
  });
  return { status: response.status, id: ((await response.json()) as { id: unknown }).id };
}

describe("the program", () => {
  test("says where it listens, ends on SIGTERM, and finds its ledger again even after SIGKILL", async () => {
    const first = run("--data", folder, "--seed", "5");
    const { url, pid, seed } = await listening(first.child);
    expect([pid, seed]).toEqual([first.child.pid, 5]);
    const authorised = await authorise(url);
    expect(authorised.status).toBe(201);
    first.child.kill("SIGKILL");
    await first.ended;

    const second = run("--data", folder);
    expect(await authorise((await listening(second.child)).url)).toEqual(authorised);
    second.child.kill("SIGTERM");
    expect(await second.ended).toEqual([0, null]);
    expect(second.errors()).toBe("");
  });

  test("as a child it ends when its parent's end of the pipe closes", async () => {
    const { child, ended } = run("--data", folder, "--child");
    await listening(child);
    child.stdin.destroy();
    expect(await ended).toEqual([0, null]);
  });

  test.each([
    [[], "--data is missing"],
    [["--data", "x", "--port", "70000"], "--port has to be a whole number from 0 to 65535"],
    [["--data", "x", "--seed", "-1"], "--seed"],
    [["--data", "x", "--nonsense"], "--nonsense"],
  ])("refuses %j and shows how it is used", async (args, reason) => {
    const { ended, errors } = run(...args);
    expect(await ended).toEqual([2, null]);
    expect(errors()).toContain(reason);
    expect(errors()).toContain("Usage:");
  });
});
