import { constants } from "node:os";
import { Stopped } from "./exit.ts";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Runs a body that may be asked to stop: its signal is aborted with a `Stopped` that carries `text`. A second signal ends
 * the process at once, for everything here may be killed at any moment.
 */
export async function stoppable<T>(text: string, body: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const listeners = signals.map((signal) => {
    const listener = (): void => {
      if (controller.signal.aborted) process.exit(exitOf(signal));
      controller.abort(new Stopped(signal, text));
    };
    process.on(signal, listener);
    return () => process.off(signal, listener);
  });
  try {
    return await body(controller.signal);
  } finally {
    for (const remove of listeners) remove();
  }
}

/** What a shell shows for a program that a signal has ended. */
export function exitOf(signal: Stopped["signal"]): number {
  return 128 + constants.signals[signal];
}
