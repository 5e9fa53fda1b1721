import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { isAtLeast } from "../src/find.ts";
import { pythonExample } from "../src/clients.ts";
import { installed } from "../src/installed.ts";
import { java, kafkaJars, natsServer, pgBouncer, postgresPrograms } from "../src/programs.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "waybill-programs-"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** A program that says what it is asked for; its folder. */
function program(name: string, says: string): string {
  const path = join(folder, "bin", name);
  mkdirSync(join(folder, "bin"), { recursive: true });
  writeFileSync(path, `#!/bin/sh\necho "${says}"\n`);
  chmodSync(path, 0o755);
  return path;
}

describe("versions", () => {
  test.each([
    ["2.12.0", [2, 12]],
    ["2.12", [2, 12]],
    ["2.15.2", [2, 12]],
    ["3", [2, 12]],
    ["17.0.15", [17]],
    ["15", [15]],
  ])("%s is at least %j", (version, least) => {
    expect(isAtLeast(version, least)).toBe(true);
  });

  test.each([
    ["2.11.9", [2, 12]],
    ["1.99", [2, 12]],
    ["2", [2, 12]],
    ["11.0.2", [17]],
    [undefined, [1]],
  ])("%s is not at least %j", (version, least) => {
    expect(isAtLeast(version, least)).toBe(false);
  });
});

describe("a program that was named", () => {
  test("is taken if it is new enough", async () => {
    const path = program("nats-server", "nats-server: v2.12.3");
    vi.stubEnv("WAYBILL_NATS_SERVER", path);
    expect(await natsServer()).toBe(path);
  });

  test("is an error if it is not, with the version that it has", async () => {
    vi.stubEnv("WAYBILL_NATS_SERVER", program("nats-server", "nats-server: v2.10.3"));
    await expect(natsServer()).rejects.toThrow(/WAYBILL_NATS_SERVER names .* version 2\.10\.3; nats-server 2\.12 is/);
  });

  test("is an error if it is not there", async () => {
    vi.stubEnv("WAYBILL_NATS_SERVER", join(folder, "nowhere"));
    vi.stubEnv("WAYBILL_KAFKA_LIBS", join(folder, "nowhere"));
    vi.stubEnv("WAYBILL_POSTGRES_BIN", join(folder, "nowhere"));
    vi.stubEnv("WAYBILL_PGBOUNCER", join(folder, "nowhere"));
    vi.stubEnv("JAVA_HOME", join(folder, "nowhere"));
    await expect(natsServer()).rejects.toThrow("says version nothing; nats-server 2.12 is needed");
    await expect(kafkaJars()).rejects.toThrow("which has no kafka-server-4.*.jar");
    await expect(postgresPrograms()).rejects.toThrow(/looked in WAYBILL_POSTGRES_BIN, .*apt-get install postgresql/);
    expect(() => pgBouncer()).toThrow(/looked in WAYBILL_PGBOUNCER, .*apt-get install pgbouncer/);
    await expect(java()).rejects.toThrow(/looked in JAVA_HOME and on PATH\. Install a Java runtime/);
  });
});

test("the newest PostgreSQL that is new enough is taken from PATH", async () => {
  program("initdb", "");
  program("postgres", "postgres (PostgreSQL) 15.3");
  vi.stubEnv("PATH", `${join(folder, "bin")}:/usr/bin:/bin`);
  expect(await postgresPrograms()).toBe(join(folder, "bin"));
});

describe("installing", () => {
  test("once, when two ask at the same time, and never a half", async () => {
    vi.stubEnv("WAYBILL_PROGRAMS", folder);
    const said: string[] = [];
    const install = async (into: string) => {
      writeFileSync(join(into, "first"), "");
      await Promise.resolve();
      expect(existsSync(join(folder, "thing-1"))).toBe(false);
      writeFileSync(join(into, "second"), "");
    };
    const both = [installed("thing-1", (line) => said.push(line), install), installed("thing-1", undefined, install)];
    expect(await Promise.all(both)).toEqual([join(folder, "thing-1"), join(folder, "thing-1")]);
    expect(readdirSync(folder)).toEqual(["thing-1"]);
    expect(readdirSync(join(folder, "thing-1"))).toEqual(["first", "second"]);
    expect(said[0]).toContain("installing thing-1");
    expect(await installed("thing-1", undefined, () => Promise.reject(new Error("again?")))).toContain("thing-1");
  });

  test("leaves nothing when it fails", async () => {
    vi.stubEnv("WAYBILL_PROGRAMS", folder);
    const failing = installed("thing-1", undefined, () => Promise.reject(new Error("no network")));
    await expect(failing).rejects.toThrow("no network");
    expect(readdirSync(folder)).toEqual([]);
  });

  test("says what is missing to install it", async () => {
    vi.stubEnv("WAYBILL_PROGRAMS", join(folder, "programs"));
    vi.stubEnv("PATH", folder);
    await expect(kafkaJars()).rejects.toThrow(/Apache Kafka 4 is needed .* Install Maven \(apt-get install maven\)/);
    await expect(pythonExample()).rejects.toThrow(/Python 3\.9 or newer is needed .*apt-get install python3-venv/);
  });
});
