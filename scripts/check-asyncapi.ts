// Holds the AsyncAPI document to the parser of the AsyncAPI project itself. The parser brings 150 packages along, so it is
// installed into a folder of its own, and not with the project.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const parser = "@asyncapi/parser@3.6.3";
const root = fileURLToPath(new URL("..", import.meta.url));
const cache = join(root, "node_modules", ".cache", "asyncapi");

const check = `
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";
const diagnostics = await new Parser().validate(readFileSync(0, "utf8"));
for (const { severity, path, message } of diagnostics) console.log(severity === 0 ? "error" : "note ", path.join("."), message);
process.exit(diagnostics.some(({ severity }) => severity === 0) ? 1 : 0);
`;

if (!existsSync(join(cache, "node_modules", "@asyncapi", "parser"))) {
  mkdirSync(cache, { recursive: true });
  writeFileSync(join(cache, "package.json"), '{ "private": true, "type": "module" }\n');
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--no-save", parser], { cwd: cache, stdio: "inherit" });
}
writeFileSync(join(cache, "check.js"), check);

const launcher = join(root, "apps", "cli", "bin", "waybill.js");
const document = execFileSync(process.execPath, [launcher, "describe", "--asyncapi"], { maxBuffer: 1e8 });
const { status } = spawnSync(process.execPath, [join(cache, "check.js")], {
  input: document,
  stdio: ["pipe", "inherit", "inherit"],
});
process.exitCode = status ?? 1;
if (status === 0) process.stdout.write(`${document.length} bytes of valid AsyncAPI 3.0\n`);
