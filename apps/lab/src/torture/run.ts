import type { AuditReport, Breach } from "@waybill/auditor";
import { startProxy } from "@waybill/brokers";
import { startGateway } from "@waybill/server";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { chanceOf } from "./chance.ts";
import { engines, type TortureEngine } from "./engines.ts";
import { commonFaults, drawn, type Fault, type Target } from "./faults.ts";
import { untilAnswered } from "./http-client.ts";
import { skus, startLoad, stockUp, type Acknowledged } from "./load.ts";
import { movedClock } from "./moved-clock.ts";
import { leftIn, type Left } from "./lag.ts";
import { disagreements } from "./referee.ts";
import { untilSettled } from "./settled.ts";
import { restartShop, startShop, type ShopProcess } from "./shop-process.ts";
import { watchSizes, type Life } from "./sizes.ts";
import { mountSmallDisk } from "./small-disk.ts";

export interface TortureOptions {
  readonly engine: string;
  readonly minutes: number;
  readonly seed: number;
  readonly clients: number;
  readonly ordersPerSecond: number;
  /** Faults whose names hold this are left out; undefined: none. */
  readonly without?: string | undefined;
  /** Told what happens, a line at a time. */
  readonly tell: (line: string) => void;
}

export interface TortureReport {
  readonly engine: string;
  readonly seed: number;
  readonly seconds: number;
  /** How often each kind of fault was injected. */
  readonly faults: Readonly<Record<string, number>>;
  /** Faults that cannot be had here, with the reason. */
  readonly unavailable: Readonly<Record<string, string>>;
  readonly orders: number;
  /** How many a second were acknowledged while there were faults. */
  readonly ordersPerSecond: number;
  readonly cancels: number;
  readonly adjustments: number;
  /** From a kill, or from the end of another fault, until an order placed then was completed, in milliseconds. */
  readonly recoveryMs: { readonly p50: number; readonly max: number; readonly count: number };
  /** Audits while the shop was at work, and what they found wrong. */
  readonly audits: number;
  readonly breaches: readonly Breach[];
  /** In what the shop and its clients differ. */
  readonly disagreements: readonly string[];
  /** What the lanes have left when all is settled; all of it must be 0. */
  readonly left: Left;
  /** Resident memory of the processes over their lives, the longest first. */
  readonly memory: Readonly<Record<string, readonly Life[]>>;
  readonly lawsAtEnd: AuditReport["laws"];
  readonly ok: boolean;
}

/** Calls to the gateway are repeated after a minute at most. */
const settleWithinMs = 240_000;
/** Longer than any fault holds, and than any call to the gateway waits for its repeat. */
const wellWithinMs = 180_000;
const together = 0.2;
const auditEveryMs = 15_000;

/** Tortures a shop for as long as told, then holds its books against the laws and against its clients' record. */
export async function torture(options: TortureOptions): Promise<TortureReport> {
  const { tell, seed } = options;
  const folder = mkdtempSync(join(tmpdir(), "waybill-torture-"));
  await using open = new AsyncDisposableStack();
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  open.defer(remove);
  const disk = open.use(mountSmallDisk(folder, sizeOf(options)));
  // Also when somebody has seen enough; by then the disk is unmounted.
  process.once("exit", remove);
  const data = join(folder, "shop");
  mkdirSync(data);
  const engine = open.use(await engines.get(options.engine)!(data));
  const gateway = open.use(await startGateway({ data: join(data, "gateway"), seed }));
  const wire = open.use(await startProxy(gateway.url));
  const clock = movedClock(folder);
  const shops = open.use(await startShops(engine, data, wire.url, clock.env));
  tell(`Torture of ${engine.name} with seed ${seed}: ${shops.url()}, data in ${data}`);

  const chance = chanceOf(seed);
  const acknowledged: Acknowledged = { orders: new Map(), cancels: new Set(), adjustments: new Map() };
  await stockUp(shops, acknowledged);
  const load = startLoad({ ...options, url: shops.url, chance: chanceOf(seed + 1) }, acknowledged);
  open.defer(() => load.abandon());
  const target: Target = {
    chance,
    gateway,
    wire,
    disk,
    clock,
    shops: shops.running,
    restart: (ended) => shops.restart(ended),
  };
  const sizes = watchSizes(() => ({
    server: shops.running.map(({ pid }) => pid),
    gateway: gateway.pid === undefined ? [] : [gateway.pid],
  }));
  open.defer(async () => void (await sizes.end()));
  const beganMs = performance.now();
  const endMs = beganMs + options.minutes * 60_000;
  const story = await tormented(target, engine, { ...options, endMs, acknowledged, shops });

  const placed = acknowledged.orders.size / ((performance.now() - beganMs) / 1_000);
  tell("The faults are over; everything that was begun is brought to its end.");
  await load.finish();
  const unsettled = await untilSettled(engine, settleWithinMs, tell);
  if (unsettled > 0) tell(`${unsettled} orders do not settle.`);
  const left = await leftIn(shops.url);
  const memory = await sizes.end();
  await shops.end();
  let differences: readonly string[] = [];
  const last = await engine.audit(async (books) => void (differences = await disagreements(books, acknowledged)));
  const breaches = [...story.breaches, ...last.breaches];
  const wrong = [...load.strange, ...differences, ...leftovers(left), ...alarms(data)];
  return {
    engine: engine.name,
    seed,
    seconds: (performance.now() - beganMs) / 1_000,
    faults: Object.fromEntries(story.faults),
    unavailable: story.unavailable,
    orders: acknowledged.orders.size,
    ordersPerSecond: placed,
    cancels: acknowledged.cancels.size,
    adjustments: acknowledged.adjustments.size,
    recoveryMs: quantiles(story.recoveryMs),
    audits: story.audits + 1,
    breaches,
    disagreements: wrong,
    left,
    memory,
    lawsAtEnd: last.laws,
    ok: breaches.length === 0 && wrong.length === 0 && last.laws.every(({ notChecked }) => notChecked === undefined),
  };
}

function leftovers({ lagMessages, behind, parkedKeys }: Left): readonly string[] {
  const wrong = lagMessages === 0 ? [] : [`Lanes have ${lagMessages} messages left: ${behind.join("; ")}.`];
  return parkedKeys === 0 ? wrong : [...wrong, `${parkedKeys} keys are set aside.`];
}

/** What the server itself took for wrong while the shop was at work. */
function alarms(data: string): readonly string[] {
  const log = join(data, "server.log");
  if (!existsSync(log)) return [];
  const lines = readFileSync(log, "utf8").split("\n");
  const grave = ["The books do not balance.", "A lane reads no further in a topic."];
  return lines.filter((line) => grave.some((text) => line.includes(text))).map((line) => `The server said: ${line}`);
}

function sizeOf({ minutes, ordersPerSecond }: TortureOptions): number {
  // About 12 KiB an order with its share of the write-ahead log, and room for that log itself.
  return Math.ceil(256 + (minutes * 60 + 60) * ordersPerSecond * 0.012);
}

/** The shop's processes, each of which can be started anew at its place. */
interface Shops extends AsyncDisposable {
  readonly running: readonly ShopProcess[];
  url(): string;
  restart(ended: ShopProcess): Promise<void>;
  /** Asks all to end in good order. */
  end(): Promise<void>;
}

async function startShops(
  engine: TortureEngine,
  data: string,
  gatewayUrl: string,
  clock: NodeJS.ProcessEnv,
): Promise<Shops> {
  const env = { ...engine.env, ...clock };
  const running: ShopProcess[] = [];
  const argsOf = (port: string, at: number): readonly string[] => {
    const where = ["--data", at === 0 ? data : `${data}-${at}`, "--port", port, "--gateway", gatewayUrl];
    return [...where, "--dispatch-after", "0.05", "--no-seed", ...engine.args];
  };
  for (let at = 0; at < engine.processes; at++) running.push(await startShop(argsOf("0", at), env));
  let next = 0;
  const end = async (signal: "SIGTERM" | "SIGKILL"): Promise<void> => {
    for (const shop of running.splice(0)) await shop.end(signal);
  };
  return {
    running,
    // Clients go on with another process when one does not answer.
    url: () => running[next++ % running.length]!.url,
    async restart(ended) {
      const at = running.indexOf(ended);
      const { port } = new URL(ended.url);
      running[at] = await restartShop(argsOf(port, at), env);
    },
    end: () => end("SIGTERM"),
    [Symbol.asyncDispose]: () => end("SIGKILL"),
  };
}

interface Story {
  readonly faults: Map<string, number>;
  readonly unavailable: Record<string, string>;
  readonly recoveryMs: number[];
  readonly breaches: Breach[];
  audits: number;
}

interface Torment extends TortureOptions {
  readonly endMs: number;
  readonly acknowledged: Acknowledged;
  readonly shops: Shops;
}

async function tormented(target: Target, engine: TortureEngine, torment: Torment): Promise<Story> {
  const { chance } = target;
  const story: Story = { faults: new Map(), unavailable: {}, recoveryMs: [], breaches: [], audits: 0 };
  const faults = [...commonFaults, ...engine.faults].filter((fault) => {
    const isLeftOut = torment.without !== undefined && fault.name.includes(torment.without);
    const why = isLeftOut ? "left out" : fault.unavailable?.(target);
    if (why !== undefined) story.unavailable[fault.name] = why;
    return why === undefined;
  });
  let auditAtMs = performance.now() + auditEveryMs / 2;
  for (let n = 0; performance.now() < torment.endMs; n++) {
    await pause(chance.between(300, 2_500));
    const first = drawn(faults, chance);
    const second = chance.next() < together ? drawn(faults, chance) : undefined;
    await suffer(first, second, target, torment, story);
    if (performance.now() < auditAtMs) continue;
    auditAtMs = performance.now() + auditEveryMs;
    const { breaches } = await engine.audit();
    story.audits += 1;
    story.breaches.push(...breaches);
    torment.tell(`audit at work: ${breaches.length} breaches`);
  }
  return story;
}

/** One fault, or two at once, and how long it took until an order placed then was completed. */
async function suffer(first: Fault, second: Fault | undefined, target: Target, torment: Torment, story: Story) {
  // Two faults of one process would wait for one another.
  const both = second !== undefined && !isOfShop(first) !== !isOfShop(second) ? [first, second] : [first];
  for (const { name } of both) story.faults.set(name, (story.faults.get(name) ?? 0) + 1);
  const healed = Math.max(...(await Promise.all(both.map((fault) => fault.inject(target)))));
  await probe(torment);
  const recoveryMs = performance.now() - healed;
  story.recoveryMs.push(recoveryMs);
  torment.tell(`${both.map(({ name }) => name).join(" + ")}: well again after ${Math.round(recoveryMs)} ms`);
}

function isOfShop({ name }: Fault): boolean {
  return name.includes("server");
}

let probes = 0;

/** Places an order that must go well, and waits until it is completed. Throws when a process has fallen, or when it takes too long. */
async function probe({ shops, acknowledged, seed }: Torment): Promise<void> {
  const n = probes++;
  const tooLong = AbortSignal.timeout(wellWithinMs);
  const signal = AbortSignal.any([tooLong, ...shops.running.map(({ fallen }) => fallen)]);
  const wanted = {
    customer: { id: `probe-${n}`, email: "probe@customers.example" },
    currency: "EUR",
    lines: [{ sku: skus[0]!, quantity: 1 }],
    payment: { token: "tok_approved" },
  };
  const headers = { "idempotency-key": `probe-${seed}-${n}`, prefer: "wait=10" };
  for (;;) {
    const answer = await untilAnswered(shops.url, "POST", "/orders", { body: wanted, headers, signal });
    if (tooLong.aborted) throw new Error(`An order is not completed ${wellWithinMs / 1_000} s after the last fault.`);
    signal.throwIfAborted();
    const { orderId, status } = answer!.body as { orderId: string; status?: string };
    acknowledged.orders.set(orderId, wanted);
    if (status === "completed") return;
  }
}

function quantiles(values: readonly number[]) {
  const sorted = values.toSorted((a, b) => a - b);
  return {
    p50: Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0),
    max: Math.round(sorted.at(-1) ?? 0),
    count: sorted.length,
  };
}
