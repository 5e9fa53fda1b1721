import { spawn, type StdioOptions } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Writable } from "node:stream";
import type { Identity } from "./user.ts";

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Whom to run as; undefined: as this process. */
  readonly identity?: Identity | undefined;
  /** Where all that it says is added. */
  readonly log: string;
}

export interface Launched {
  readonly pid: number;
  /** Settles when the process has ended, with its exit code or signal. */
  readonly ended: Promise<string>;
  hasEnded(): boolean;
  /** While something waits for the process, it keeps this one alive; otherwise it does not. */
  hold(): void;
  letGo(): void;
}

/**
 * The shell becomes the server (exec keeps the process number) after it has left a watch behind: a second shell that
 * reads from a pipe whose other end is in this process and nowhere else. However this process ends, also by SIGKILL,
 * the pipe closes; then the watch kills the server with its children and removes its folder if that is temporary.
 * The line that this process writes once the server has ended sends the watch home. It is nobody's child (forked
 * twice), because PostgreSQL takes every child of its postmaster for one of its own.
 */
const tied = `
temporary=$1; shift
( (
  trap '' HUP INT TERM
  if ! read -r ended <&3; then
    kill -STOP $$
    children=$(cat /proc/$$/task/$$/children 2>/dev/null || pgrep -P $$)
    kill -KILL $$ $children
    [ -z "$temporary" ] || { sleep 1; rm -rf "$temporary"; }
  fi
) </dev/null >/dev/null 2>&1 & )
exec 3<&-
exec "$@"
`;

/** Starts a server that cannot outlive this process. */
export function launchTied(command: Command, temporary: string | undefined): Launched {
  const shell = ["-c", tied, "sh", temporary ?? "", command.program, ...command.args];
  return launch({ ...command, program: "/bin/sh", args: shell }, true);
}

/** Starts a server that goes on when this process ends. */
export function launchFree(command: Command): Launched {
  return launch(command, false);
}

function launch(command: Command, hasWatch: boolean): Launched {
  const log = openSync(command.log, "a");
  const stdio: StdioOptions = ["ignore", log, log, ...(hasWatch ? (["pipe"] as const) : [])];
  const { environment, identity, folder: cwd } = command;
  const env = { ...process.env, ...environment };
  const child = spawn(command.program, command.args, { cwd, env, stdio, detached: true, ...identity });
  closeSync(log);
  const watch = child.stdio[3] as Writable | undefined;
  // The watch may be gone when it is told: it was killed, or the shell could not be started.
  watch?.on("error", () => {});
  let hasEnded = false;
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(`could not be started: ${error.message}`));
    child.once("exit", (code, signal) => resolve(code === null ? `ended by ${signal}` : `ended with code ${code}`));
  }).then((how) => {
    hasEnded = true;
    watch?.end("ended\n");
    return how;
  });
  return {
    pid: child.pid ?? 0,
    ended,
    hasEnded: () => hasEnded,
    hold: () => child.ref(),
    letGo() {
      child.unref();
      (watch as { unref?(): void } | undefined)?.unref?.();
    },
  };
}
