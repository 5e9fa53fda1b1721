import { readKeyFile } from "@waybill/server";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { here } from "./here.ts";
import { withFolder } from "./waybill.ts";

describe("waybill key", () => {
  it("makes a key, shows it once, lists it and takes it back", async () => {
    await withFolder(async (data) => {
      const at = ["--data", data];
      expect((await here("key", "list", ...at)).stdout).toContain("There are no keys");
      const made = await here("key", "new", "--role", "shop", "--customer", "ann", "--rate", "60", ...at);
      expect(made.code).toBe(0);
      expect(made.stdout).toMatch(/^wb_[0-9a-f]{8}_[\w-]{43}\n$/);
      const [entry] = readKeyFile(join(data, "keys.json"));
      expect(entry).toMatchObject({ role: "shop", customer: "ann", ratePerMinute: 60 });
      expect(readFileSync(join(data, "keys.json"), "utf8")).not.toContain(made.stdout.trim().slice(12));

      const other = JSON.parse((await here("key", "new", "--role", "operator", "--json", ...at)).stdout);
      const listed = await here("key", "list", ...at);
      for (const id of [entry!.id, other.id]) expect(listed.stdout).toContain(id);
      expect(listed.stdout).not.toContain(entry!.sha256);

      expect((await here("key", "revoke", entry!.id, ...at)).code).toBe(0);
      expect(readKeyFile(join(data, "keys.json")).map(({ id }) => id)).toEqual([other.id]);
      const again = await here("key", "revoke", entry!.id, ...at);
      expect([again.code, again.stderr]).toEqual([1, expect.stringContaining(`There is no key ${entry!.id}`)]);
    });
  });

  it.each([
    [["new"], "required option '--role <role>'"],
    [["new", "--role", "king"], "Allowed choices are shop, operator"],
    [["new", "--role", "operator", "--customer", "ann"], "leave --customer out"],
    [["new", "--role", "shop", "--rate", "0"], "Give requests a minute"],
    [["revoke"], "missing required argument 'id'"],
  ])("%j is wrong", async (args, why) => {
    const { code, stderr } = await here("key", ...args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(why)]);
  });
});
