import { allTopics } from "@waybill/contracts";
import type { World } from "@waybill/messaging";
import type { Mailer } from "@waybill/notifications";
import { inProcessGateway, openShop, realWorld, type Config, type Engine, type Log, type Shop } from "@waybill/server";
import { digestOf } from "./folder.ts";
import { follow, fromNow, type Following } from "./follow.ts";
import { createGauge } from "./gauge.ts";
import { plays } from "./invoices.ts";
import { reportFrom } from "./outcome.ts";
import { openPlace } from "./place.ts";
import { sourceOf, type Speed } from "./plan.ts";
import { playAll, prepare, type Stage } from "./play.ts";
import type { Progress } from "./progress.ts";
import type { ReplayReport } from "./report.ts";
import { initialStock, type StockMode } from "./stock.ts";
import { survey, type Survey } from "./survey.ts";
import { watch } from "./watch.ts";

export interface ReplayOptions {
  readonly file: string;
  readonly folder: string;
  /** What the shop runs on. */
  readonly config: Config;
  readonly stock: StockMode;
  readonly speed: Speed;
  /** Deletes what an earlier replay has left in the folder. */
  readonly fresh: boolean;
}

export interface Replayed {
  readonly report: ReplayReport;
  /** It went on from where an earlier one had stopped. */
  readonly resumed: boolean;
}

/** One run of a replay. */
interface Run extends ReplayOptions {
  readonly source: string;
  readonly resumed: boolean;
  readonly world: World;
  readonly engine: Engine;
  readonly found: Survey;
  readonly initial: ReadonlyMap<string, number>;
  readonly progress: Progress;
  /** Aborted when somebody wants it to stop. */
  readonly signal: AbortSignal;
}

/**
 * Plays a file through a shop of its own in `folder`, or goes on with that, and makes the report. When the signal is
 * aborted the shop is closed in good order and the signal's reason is thrown.
 */
export async function replay(options: ReplayOptions, progress: Progress, signal: AbortSignal): Promise<Replayed> {
  const { file, folder, config, stock: mode, fresh } = options;
  const source = sourceOf(file);
  progress.note(`Reading ${file}`);
  const found = await survey(file);
  signal.throwIfAborted();
  const begun = { source, file: await digestOf(file), stock: mode };
  const world = realWorld(logTo(progress));
  const place = await openPlace({ folder, config, begun, fresh, world });
  await using engine = place.engine;
  const { resumed } = place;
  progress.note(`${resumed ? "Going on" : "Beginning"} in ${folder}`);
  const initial = initialStock(found.movements, mode);
  await perform({ ...options, source, resumed, world, engine, found, initial, progress, signal });
  let checked = 0;
  const report = await reportFrom(engine, file, { source, mode, survey: found, initial }, () => {
    progress.show({ what: "checking", done: ++checked, all: found.orders });
  });
  return { report, resumed };
}

/** Opens the shop, plays all that it does not know yet, and closes it when everything has come to its end. */
async function perform(run: Run): Promise<void> {
  const { engine, found, progress } = run;
  // The reader has to be there before the services go on with what they had begun.
  await engine.declare(allTopics, new Map());
  await using news = await fromNow(engine);
  await using shop = await openReplayShop(run);
  let ended = 0;
  const over = new AbortController();
  const stage = stageOf(run, shop, over, () => (ended += 1));
  const following = tellGauges(stage, news, () => (ended += 1));
  const unwatch = watch(stage);
  const drawing = setInterval(() => progress.show({ what: "playing", done: ended, all: found.orders }), 100);
  try {
    await prepare(stage, found, run.initial);
    await playAll(stage, plays(run.file, found.interrupted), Date.now);
  } finally {
    clearInterval(drawing);
    unwatch();
    over.abort();
    await following;
  }
}

/** A shop that needs nothing but its folder: every payment is approved, every order leaves at once, letters go nowhere. */
function openReplayShop({ engine, world }: Run): Promise<Shop> {
  const mailer: Mailer = { send: async () => ({ kind: "done", value: null }) };
  const gateway = inProcessGateway();
  return openShop({ engine, world, gateway, mailer, dispatchAfterMs: 0, paymentDeadlineMs: undefined });
}

function stageOf(run: Run, shop: Shop, over: AbortController, onEnded: () => void): Stage {
  const { source, speed, resumed, stock } = run;
  const signal = AbortSignal.any([run.signal, over.signal]);
  return {
    shop,
    source,
    speed,
    resumed,
    // Short stock is given to whoever comes first; enough for all needs no order.
    inOrder: typeof stock === "number",
    signal,
    undecided: createGauge(signal),
    unsettled: createGauge(signal),
    onKnown: (hasEnded) => {
      if (hasEnded) onEnded();
    },
    fail: (error) => over.abort(error),
  };
}

async function tellGauges(stage: Stage, news: Following, onOrderEnded: () => void): Promise<void> {
  const { undecided, unsettled, signal } = stage;
  try {
    await follow(news, signal, (id, step, what) => {
      undecided.remove(id);
      if (step === "settled" && unsettled.remove(id) && what === "order") onOrderEnded();
    });
  } catch (error) {
    stage.fail(error);
  }
}

/** What goes wrong in the shop is said at once; the rest of its log is for servers. */
function logTo(progress: Progress): Log {
  return (level, text, facts) => {
    if (level === "error" || level === "warn") progress.note(`${level}: ${text} ${JSON.stringify(facts ?? {})}`);
  };
}
