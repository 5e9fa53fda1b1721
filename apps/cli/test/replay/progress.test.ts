import { describe, expect, it } from "vitest";
import { createProgress, statusLine } from "../../src/replay/progress.ts";

function screen(isTTY: boolean) {
  let text = "";
  const clock = { ms: 0 };
  const stream = { isTTY, columns: 60, write: (more: string) => (text += more) };
  return { clock, progress: createProgress(stream, () => clock.ms), text: () => text };
}

describe("progress", () => {
  it("says what, how far, how fast and how long still", () => {
    expect(statusLine({ what: "playing", done: 50, all: 100 }, 10)).toBe(
      "playing  [############------------]  50 of 100  10/s  5 s left",
    );
    expect(statusLine({ what: "playing", done: 0, all: 10_000 }, 1)).toContain("0 of 10,000  1/s  2 h 47 min left");
    expect(statusLine({ what: "checking", done: 0, all: 0 }, 0)).toBe("checking  [------------------------]  0 of 0");
  });

  it("rewrites one line of a terminal, as long as the terminal is wide", () => {
    const { clock, progress, text } = screen(true);
    for (const done of [0, 1, 2, 300]) {
      progress.show({ what: "playing", done, all: 1_000 });
      clock.ms += 60;
    }
    progress.note("A word.");
    const drawn = text().split("\r\u001b[K");
    expect(drawn).toHaveLength(3);
    expect(drawn[2]).toBe("A word.\n");
    expect(drawn.every((line) => line.length < 60)).toBe(true);
  });

  it("writes a line now and then where there is no terminal", () => {
    const { clock, progress, text } = screen(false);
    for (let done = 0; done <= 100; done += 1) {
      progress.show({ what: "playing", done, all: 100 });
      clock.ms += 100;
    }
    progress.end();
    expect(text().split("\n")).toEqual([
      "playing  [------------------------]  0 of 100",
      "playing  [############------------]  50 of 100  10/s  5 s left",
      "playing  [########################]  100 of 100  10/s",
      "",
    ]);
  });
});
