import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startNats } from "@waybill/brokers";
import { isAlive } from "../src/processes.ts";
import { natsNotes, postgresNotes } from "./clients.ts";

const main = fileURLToPath(new URL("../src/cli/main.ts", import.meta.url));
const run = promisify(execFile);

let folder: string;
let environment: Record<string, string>;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "waybill-cli-"));
  chmodSync(folder, 0o755);
  environment = { WAYBILL_NATS_URL: "", WAYBILL_KAFKA_URL: "", WAYBILL_POSTGRES_URL: "" };
});
afterEach(async () => {
  await brokers("stop");
  rmSync(folder, { recursive: true });
});

/** What the command line says; rejects with its words when it fails. */
async function brokers(...args: readonly string[]): Promise<string> {
  const env = { ...process.env, ...environment };
  const { stdout } = await run(process.execPath, [main, ...args, "--folder", folder], { env });
  return stdout;
}

function urlsIn(text: string): string[] {
  return [...text.matchAll(/^export \w+='(.*)'$/gm)].map(([, url]) => url!);
}

function pidsIn(text: string): number[] {
  return [...text.matchAll(/processes ([\d, ]+)/g)].flatMap(([, pids]) => pids!.split(", ").map(Number));
}

test("starts once, says where, keeps data, and stops by number", async () => {
  const first = await brokers("start", "--local", "--only", "nats,postgres");
  expect(first).toContain("nats: started\npostgres: started");
  const [nats, postgres] = urlsIn(first);
  {
    await using notes = await natsNotes(nats!);
    await notes.write("one");
    await using rows = await postgresNotes(postgres!);
    await rows.write("one");
  }
  const pids = pidsIn(await brokers("status"));
  expect(pids.filter(isAlive)).toHaveLength(2);

  const second = await brokers("start", "--local", "--only", "postgres,nats");
  expect(second).toContain("nats: running already\npostgres: running already");
  expect(urlsIn(second)).toEqual([nats, postgres]);

  expect(await brokers("stop")).toBe("nats: stopped\npostgres: stopped\n");
  expect(pids.filter(isAlive)).toEqual([]);
  expect(await brokers("status")).toContain("Nothing was started");

  const [again] = urlsIn(await brokers("start", "--local", "--only", "nats"));
  await using notes = await natsNotes(again!);
  expect(await notes.count()).toBe(1);
});

test("does not touch a process that has got the number of one that is gone", async () => {
  await brokers("start", "--local", "--only", "nats");
  await using other = await startNats();
  const path = join(folder, "state.json");
  const state = JSON.parse(readFileSync(path, "utf8")) as { entries: { servers: { pid: number }[] }[] };
  const [server] = state.entries[0]!.servers;
  process.kill(server!.pid, "SIGKILL");
  server!.pid = other.pid;
  writeFileSync(path, JSON.stringify(state));
  expect(await brokers("status")).toContain("not running any more");
  await brokers("stop");
  expect(isAlive(other.pid)).toBe(true);
});

test("takes what the environment names, if somebody answers there", async () => {
  await using server = await startNats();
  environment["WAYBILL_NATS_URL"] = server.url;
  const said = await brokers("start", "--only", "nats");
  expect(said).toContain("nats: from the environment");
  expect(urlsIn(said)).toEqual([server.url]);
  await server.kill();
  await expect(brokers("start", "--only", "nats")).rejects.toThrow(/WAYBILL_NATS_URL is .* nobody takes connections/);
});

test("asks docker compose where an engine answers", async () => {
  const bin = join(folder, "bin");
  const calls = join(folder, "calls");
  mkdirSync(bin);
  writeFileSync(join(bin, "docker"), `#!/bin/sh\necho "$@" >> '${calls}'\n`, { mode: 0o755 });
  environment["PATH"] = `${bin}:${process.env["PATH"]}`;
  const said = await brokers("start", "--cluster", "--only", "nats,postgres");
  expect(urlsIn(said)).toEqual([
    "nats://127.0.0.1:14223,nats://127.0.0.1:14224,nats://127.0.0.1:14225",
    "postgres://waybill@127.0.0.1:15432/postgres",
  ]);
  await brokers("stop");
  const asked = readFileSync(calls, "utf8").replaceAll(/--file \S+compose\.yaml/g, "--file compose.yaml");
  expect(asked.trim().split("\n")).toEqual([
    "info",
    "compose version",
    "compose --file compose.yaml up --detach --wait nats-1 nats-2 nats-3 postgres",
    "compose --file compose.yaml --profile * down",
  ]);
});

test("says what it does not know", async () => {
  await expect(brokers("start", "--only", "nats,redis")).rejects.toThrow('"redis" is none of nats, kafka, postgres');
});
