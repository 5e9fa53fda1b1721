import { execFile } from "node:child_process";
import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
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

  it.each([
    [[], undefined, undefined, "--max-semi-space-size=4 "],
    [["--engine", "nats"], undefined, undefined, "--max-semi-space-size=64 "],
    [["--engine=kafka"], undefined, undefined, "--max-semi-space-size=64 "],
    [["--engine", "embedded"], "kafka", undefined, "--max-semi-space-size=4 "],
    [[], "hybrid", undefined, "--max-semi-space-size=64 "],
    [[], undefined, 'export default config({ engine: "nats" });', "--max-semi-space-size=64 "],
  ])(
    "gives a shop on brokers a larger heap: %j, WAYBILL_ENGINE %s, waybill.config.ts %s",
    async (args, engine, file, heap) => {
      await withFolder(async (folder) => {
        if (file !== undefined) await writeFile(join(folder, "waybill.config.ts"), file);
        const show = join(folder, "show.mjs");
        await writeFile(show, `console.log(process.execArgv.join(" ") + " ");`);
        const start = join(folder, "start.mjs");
        const launcher = JSON.stringify(pathToFileURL(join(bin, "node24.js")).href);
        await writeFile(start, `import { run } from ${launcher}; run(${JSON.stringify([show, ...args])});`);
        const env = { ...process.env, WAYBILL_ENGINE: engine, NODE_OPTIONS: "" };
        const { stdout } = await promisify(execFile)(process.execPath, [start], { cwd: folder, env });
        expect(stdout).toContain(heap);
      });
    },
  );

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
