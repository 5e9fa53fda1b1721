import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import { root } from "../boundaries/files.ts";

const run = promisify(execFile);

/** The words of a line as a shell splits it; quotes hold words together. */
export function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, bare]) => single ?? double ?? bare!);
}

/** Runs a command in the repository's root and returns what it prints; rejects when it fails. */
export function output(command: string, ...args: readonly string[]): Promise<string> {
  return outputIn(root, command, ...args);
}

/** The same in another folder; what it has printed is in the error as well. */
export async function outputIn(cwd: string, command: string, ...args: readonly string[]): Promise<string> {
  try {
    return (await run(command, args, { cwd, maxBuffer: 67_108_864 })).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(" ")} failed:\n${stdout}\n${stderr}`, { cause: error });
  }
}

/** Sends what a `curl` line sends, for machines without curl, and returns the answer's body. */
export async function sentByFetch(line: string): Promise<string> {
  const headers: Record<string, string> = {};
  let url = "";
  let body: string | undefined;
  const [program, ...words] = wordsOf(line);
  if (program !== "curl") throw new Error(`Not a curl line: ${line}`);
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === "-H") {
      const [name, value] = words[++at]!.split(/:\s*/, 2);
      headers[name!] = value!;
    } else if (word === "-d") body = words[++at]!;
    else if (!word.startsWith("-")) url = word;
    else if (word !== "-sS") throw new Error(`What does curl do with ${word}?`);
  }
  const response = await fetch(url, body === undefined ? { headers } : { method: "POST", headers, body });
  return response.text();
}

/** A program that runs until it is told to end, with everything that it starts. */
export interface Running extends AsyncDisposable {
  /** Resolves with what was printed so far as soon as that fits. Rejects with all of it when the program ends first. */
  printed(fits: RegExp): Promise<string>;
  /** Asks it to end, and resolves with its exit code. */
  end(): Promise<number | null>;
}

export function start(command: string, ...args: readonly string[]): Running {
  return startIn(root, command, ...args);
}

/** The same in another folder than the repository's root. */
export function startIn(cwd: string, command: string, ...args: readonly string[]): Running {
  // A group of its own, so that whatever it starts is ended with it.
  const child = spawn(command, args, { cwd, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "exit") as Promise<[number | null]>;
  let text = "";
  const collect = (chunk: Buffer): void => void (text += chunk.toString());
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);

  async function end(): Promise<number | null> {
    signalGroup(child, "SIGTERM");
    const [code] = await ended;
    return code;
  }

  return {
    async printed(fits) {
      const over = ended.then(([code]) => {
        throw new Error(`${command} ended with ${code}:\n${text}`);
      });
      over.catch(() => {});
      while (!fits.test(text)) await Promise.race([once(child.stdout, "data"), over]);
      return text;
    },
    end,
    async [Symbol.asyncDispose]() {
      await end();
    },
  };
}

function signalGroup({ pid, exitCode, signalCode }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, signal);
}
