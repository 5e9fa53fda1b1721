import { setTimeout as pause } from "node:timers/promises";
import type { LaneView } from "@waybill/server";
import { untilAnswered } from "./http-client.ts";

/** What the lanes of a shop have left: messages not handled, and keys set aside. */
export interface Left {
  readonly lagMessages: number;
  /** The topics that they are behind in, in words. */
  readonly behind: readonly string[];
  readonly parkedKeys: number;
}

/** Orders are over before the last that hears of them: letters and lists are a moment behind. */
const withinMs = 60_000;
const everyMs = 250;

/** What the lanes of a shop have left, once they were given time to have nothing left. */
export async function leftIn(url: () => string): Promise<Left> {
  const endMs = performance.now() + withinMs;
  for (;;) {
    const left = await asked(url);
    if (left.lagMessages === 0 || performance.now() > endMs) return left;
    await pause(everyMs);
  }
}

async function asked(url: () => string): Promise<Left> {
  const answer = await untilAnswered(url, "GET", "/lanes");
  const lanes = answer!.body["lanes"] as readonly LaneView[];
  const behind = lanes.flatMap(({ service, lane, topics }) =>
    topics.flatMap(({ topic, lagMessages, blocked }) =>
      lagMessages > 0 ? [{ lagMessages, text: `${service}/${lane} ${lagMessages} in ${topic} ${blocked ?? ""}` }] : [],
    ),
  );
  return {
    lagMessages: behind.reduce((sum, { lagMessages }) => sum + lagMessages, 0),
    behind: behind.map(({ text }) => text.trim()),
    parkedKeys: lanes.reduce((sum, { parkedKeys }) => sum + parkedKeys, 0),
  };
}
