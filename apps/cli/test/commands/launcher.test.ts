import { execFile } from "node:child_process";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { launch, withFolder } from "./waybill.ts";

const bin = fileURLToPath(new URL("../../bin", import.meta.url));
const oldNode = "data:text/javascript,Object.defineProperty(process,'version',{value:'v20.19.0'})";
const bare = { ...process.env, npm_node_execpath: undefined };

describe("the launcher", () => {
  it("finds the Node that came with the project when it is started by an older one", async () => {
    const { code, stdout } = await launch(["--version"], { node: ["--import", oldNode] }).ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it("says what to do when there is no Node that is new enough", async () => {
    await withFolder(async (folder) => {
      // Away from the project there is no other Node to be found.
      await cp(bin, join(folder, "bin"), { recursive: true });
      await cp(join(bin, "../package.json"), join(folder, "package.json"));
      const run = promisify(execFile)(process.execPath, ["--import", oldNode, join(folder, "bin/waybill.js")], {
        env: bare,
      });
      await expect(run).rejects.toMatchObject({
        code: 78,
        stderr: expect.stringMatching(/needs Node 24\.\d+ or newer; this is v20\.19\.0.*nodejs\.org/s),
      });
    });
  });
});
