import type { WriteStream } from "node:tty";

/** What a status line shows. */
export interface Status {
  readonly what: string;
  readonly done: number;
  readonly all: number;
}

export interface Progress {
  /** The line as it shall be from now on; it is drawn when its time has come. */
  show(status: Status): void;
  /** A line that stays. */
  note(text: string): void;
  /** Takes the status line away. */
  end(): void;
}

interface Stream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const redrawMs = 100;
const lineEveryMs = 5_000;
/** The rate is that of the last few seconds. */
const rateOverMs = 5_000;
const barWidth = 24;

/**
 * Progress for people: on a terminal one line that is rewritten, anywhere else a line every five seconds. `nowMs` is a
 * clock that only rises.
 */
export function createProgress(stream: Stream | WriteStream, nowMs: () => number): Progress {
  const isTerminal = stream.isTTY === true;
  let drawnMs = isTerminal ? -Infinity : nowMs();
  let drawn = false;
  let samples: { atMs: number; done: number }[] = [];
  let what = "";

  function sample(status: Status, atMs: number): void {
    if (status.what !== what) samples = [];
    what = status.what;
    samples.push({ atMs, done: status.done });
    while (samples.length > 2 && samples[1]!.atMs < atMs - rateOverMs) samples.shift();
  }

  function rate(): number {
    const [first, last] = [samples[0]!, samples.at(-1)!];
    return last.atMs > first.atMs ? ((last.done - first.done) / (last.atMs - first.atMs)) * 1_000 : 0;
  }

  function erase(): void {
    if (drawn) stream.write("\r\u001b[K");
    drawn = false;
  }

  return {
    show(status) {
      const atMs = nowMs();
      if (atMs - drawnMs < (isTerminal ? redrawMs : lineEveryMs) && status.what === what) {
        if (atMs - (samples.at(-1)?.atMs ?? -Infinity) >= redrawMs) sample(status, atMs);
        return;
      }
      sample(status, atMs);
      drawnMs = atMs;
      const line = statusLine(status, rate());
      erase();
      stream.write(isTerminal ? line.slice(0, (stream.columns ?? 80) - 1) : `${line}\n`);
      drawn = isTerminal;
    },
    note(text) {
      erase();
      stream.write(`${text}\n`);
    },
    end: erase,
  };
}

/** `playing  [######----]  4,300 of 14,331  812/s  12 s left`. */
export function statusLine({ what, done, all }: Status, perSecond: number): string {
  const filled = all === 0 ? 0 : Math.min(barWidth, Math.floor((done / all) * barWidth));
  const bar = `[${"#".repeat(filled)}${"-".repeat(barWidth - filled)}]`;
  const parts = [what, bar, `${count(done)} of ${count(all)}`];
  if (perSecond > 0) parts.push(`${count(Math.round(perSecond))}/s`);
  if (perSecond > 0 && done < all) parts.push(`${duration((all - done) / perSecond)} left`);
  return parts.join("  ");
}

function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.ceil(whole / 60)} min`;
  return `${Math.floor(whole / 3_600)} h ${Math.ceil((whole % 3_600) / 60)} min`;
}

function count(value: number): string {
  return value.toLocaleString("en-GB");
}
