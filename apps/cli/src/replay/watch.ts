import { laneTroubles, shopServices } from "@waybill/server";
import { CliError } from "../exit.ts";
import type { Stage } from "./play.ts";

const lookEveryMs = 1_000;
/** Longer than any hiccup of a disk, and short enough that nobody waits for what will never come. */
const stillMsMax = 60_000;

/**
 * Ends a replay that cannot come to its end: a lane has stopped, the file takes nothing more, or nothing has happened for
 * a minute although something is under way. Returns what ends the watching.
 */
export function watch(stage: Stage): () => void {
  const { world } = stage.shop;
  let last = "";
  let sinceMs = world.monotonicMs();
  const timer = setInterval(() => {
    const wrong = stopped(stage);
    if (wrong !== undefined) stage.fail(new CliError("unavailable", wrong));
    const now = progressOf(stage);
    if (now !== last || stage.unsettled.count === 0) {
      last = now;
      sinceMs = world.monotonicMs();
    } else if (world.monotonicMs() - sinceMs > stillMsMax) {
      sinceMs = world.monotonicMs();
      void giveUp(stage).catch(stage.fail);
    }
  }, lookEveryMs);
  return () => clearInterval(timer);
}

function stopped({ shop }: Stage): string | undefined {
  const health = shop.engine.health();
  if (!health.ok && health.fatal)
    return `The data file can no longer be written: ${health.error ?? "no reason known"}.`;
  for (const { service, lane, blocked } of shop.worker.lanes()) {
    // A broker that is away comes back; if it does not, nothing happens for too long.
    const first = blocked.find(({ code }) => code !== "TRANSPORT_UNAVAILABLE");
    if (first !== undefined) return `Lane ${lane} of ${service} reads no further in ${first.topic}: ${first.reason}`;
  }
  return undefined;
}

/** Changes whenever any lane has done anything. */
function progressOf({ shop, unsettled }: Stage): string {
  const counts = shop.worker.lanes().map(({ counts: { batches, inputs } }) => `${batches}/${inputs}`);
  return [unsettled.count, ...counts].join(" ");
}

async function giveUp(stage: Stage): Promise<void> {
  const { shop, unsettled } = stage;
  const services = shopServices();
  const why = await laneTroubles(shop.engine, services, shop.worker);
  const { ok, error = "no reason known" } = shop.engine.health();
  if (!ok) why.unshift(`The file does not take what is written: ${error}.`);
  for (const { service, parkedKeys } of shop.worker.lanes()) {
    if (parkedKeys > 0) why.push(`${parkedKeys} orders are parked in ${service}.`);
  }
  const text = `Nothing has happened for a minute, and ${unsettled.count} orders and adjustments are not settled.`;
  stage.fail(new CliError("unavailable", [text, ...why].join(" ")));
}
