import { pino, type DestinationStream } from "pino";
import type { Log } from "./world.ts";

/** Where the server's log goes: a file's path, the standard error output, or nowhere. */
export type LogTarget = { readonly file: string } | "stderr" | "none";

/** A log of one JSON object a line, and what writes out the last lines of it. */
export function openLog(target: LogTarget): { readonly log: Log; flush(): void } {
  if (target === "none") return { log: () => undefined, flush: () => undefined };
  const stream = pino.destination(
    target === "stderr" ? { dest: 2, sync: true } : { dest: target.file, mkdir: true, sync: true },
  );
  const logger = pino(
    { base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
    stream as DestinationStream,
  );
  return {
    log: (level, text, facts = {}) => logger[level](facts, text),
    flush: () => stream.flushSync(),
  };
}
