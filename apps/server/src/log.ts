import { pino, type DestinationStream } from "pino";
import type { Log } from "@waybill/node";

/** Where the server's log goes: a file's path, the standard error output, or nowhere. */
export type LogTarget = { readonly file: string } | "stderr" | "none";

/** What waits to be written while a disk is full or a reader is away; newer lines are dropped beyond it. */
const waitingBytesMax = 1_048_576;

/**
 * A log of one JSON object a line, written at once. A line that cannot be written (a full disk, a pipe that nobody reads) never
 * ends the server: it waits, within a bound, for the next line that can.
 */
export function openLog(target: LogTarget): Log {
  if (target === "none") return () => undefined;
  const stream = pino.destination({
    ...(target === "stderr" ? { dest: 2 } : { dest: target.file, mkdir: true }),
    sync: true,
    maxLength: waitingBytesMax,
    // Waiting here would stop the shop.
    retryEAGAIN: () => false,
  });
  // Without a listener the error would end the process.
  stream.on("error", () => undefined);
  const logger = pino(
    { base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
    stream as DestinationStream,
  );
  return (level, text, facts = {}) => logger[level](facts, text);
}
