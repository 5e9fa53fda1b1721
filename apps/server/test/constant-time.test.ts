import type * as crypto from "node:crypto";
import { newKey, writeKeyFile } from "@waybill/server";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openKeys } from "../src/http/access/keys.ts";

const compared = vi.hoisted(() => [] as [number, number][]);
vi.mock("node:crypto", async (importOriginal) => {
  const real = await importOriginal<typeof crypto>();
  return {
    ...real,
    timingSafeEqual: (one: Buffer, other: Buffer) => {
      compared.push([one.length, other.length]);
      return real.timingSafeEqual(one, other);
    },
  };
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "waybill-time-"));
  compared.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a secret is compared in the same time whether it is right, wrong, or of a key that is not there", () => {
  const { key, entry } = newKey({ role: "shop" });
  const file = join(folder, "keys.json");
  writeKeyFile(file, [entry]);
  const keys = openKeys({ file, isLoopback: true, world: { monotonicMs: () => 0, log: () => undefined } });
  const asked = [key, `${key.slice(0, -4)}AAAA`, `wb_00000000${key.slice(11)}`];
  const callers = asked.map((one) => keys.callerOf(`Bearer ${one}`)?.id);
  expect(callers).toEqual([entry.id, undefined, undefined]);
  expect(compared).toEqual(asked.map(() => [32, 32]));
});
