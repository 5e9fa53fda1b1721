import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import {
  openEngine,
  realWorld,
  startGateway,
  type Engine,
  type GatewayChild,
  type ServerOptions,
} from "@waybill/server";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { brokers, type Deployment } from "./server/deployment.ts";
import { seeded, startLoad, type Load } from "./server/load.ts";
import { serve, type ServerProcess } from "./server/server-process.ts";
import { expectBooksAddUp, loadOptions, stockUp, untilOver } from "./server/under-load.ts";
import { booksFrom, gatewayLedger } from "./server/witnesses.ts";

/** Everybody who may own lanes, by process; `undefined` for lanes that nobody runs. */
type Owners = ReadonlyMap<number | undefined, number>;

const services = ["catalogue", "orders", "inventory", "payments", "fulfilment", "notifications", "listing"];

describe.each(["nats", "kafka"] as const)("several processes of one shop on %s", (engineName) => {
  const data = mkdtempSync(join(tmpdir(), "waybill-scale-"));
  const acknowledged = new Set<string>();
  let deployment: Deployment;
  let engine: Engine;
  let gateway: GatewayChild;
  let first: ServerProcess;
  let started: ServerProcess[] = [];

  beforeAll(async () => {
    deployment = await brokers(engineName);
    engine = await openEngine(deployment.config, { data, world: realWorld(() => undefined) });
    gateway = await startGateway({ data: join(data, "gateway") });
    first = await start();
    await stockUp(first.url);
  });
  afterAll(async () => {
    await first?.[Symbol.asyncDispose]();
    await engine?.[Symbol.asyncDispose]();
    await gateway?.[Symbol.asyncDispose]();
    await deployment?.[Symbol.asyncDispose]();
    rmSync(data, { recursive: true, force: true });
  });
  beforeEach(() => (started = []));
  afterEach(() => Promise.all(started.map((one) => one[Symbol.asyncDispose]())));

  /** Starts a process that the test's end ends, however the test ends. */
  async function start(options: ServerOptions = {}): Promise<ServerProcess> {
    const { config } = deployment;
    const shop = { config, data, seed: false, dispatchAfterMs: 100, gatewayUrl: gateway.url, port: 0 };
    const one = await serve({ ...shop, ...options });
    started.push(one);
    return one;
  }

  function load(name: string, url: () => string): Load {
    return startLoad({ ...loadOptions(seeded(7)), name, url });
  }

  /** How many lanes each process runs, by the database. */
  async function owners(): Promise<Owners> {
    const { lanes, members } = await engine.store.survey(services);
    const pids = new Map(members.map(({ id, host }) => [id, Number(host.split(":").at(-1))]));
    return new Map(
      Array.from(
        Map.groupBy(lanes, ({ owner }) => pids.get(owner ?? "")),
        ([pid, of]) => [pid, of.length],
      ),
    );
  }

  /** Waits until the lanes are shared as `is` wants it; how long that took. */
  async function until(is: (owners: Owners) => boolean): Promise<number> {
    const beganMs = performance.now();
    while (!is(await owners())) await pause(5);
    return performance.now() - beganMs;
  }

  const runsAll =
    ({ pid }: ServerProcess) =>
    (of: Owners) =>
      of.size === 1 && of.has(pid);
  const shared =
    (...processes: readonly ServerProcess[]) =>
    (of: Owners) =>
      !of.has(undefined) && processes.every(({ pid }) => (of.get(pid) ?? 0) >= 4);

  function tell(what: string, ms: number): void {
    process.stdout.write(`${engineName}: ${what}: ${ms.toFixed(0)} ms\n`);
  }

  async function flowing(one: Load): Promise<void> {
    const before = one.acknowledged.size;
    await vi.waitUntil(() => one.acknowledged.size >= before + 100, { timeout: 60_000 });
  }

  /** Nothing lost, nothing twice, stock and money add up. */
  async function audited(one: Load): Promise<void> {
    await one.finish();
    expect(one.strange).toEqual([]);
    for (const orderId of one.acknowledged.values()) acknowledged.add(orderId);
    await untilOver(() => booksFrom(engine), acknowledged);
    const look = async () => {
      expectBooksAddUp(await booksFrom(engine), acknowledged, await gatewayLedger(gateway.url), data);
      expect(await (await fetch(`${gateway.url}/audit`)).json()).toEqual({ findings: [] });
    };
    await vi.waitFor(look, { timeout: 30_000, interval: 200 });
  }

  test("share its lanes, and a process that is asked to end hands its own over", { timeout: 180_000 }, async () => {
    await using orders = load("share", () => first.url);
    const second = await start();
    tell("lanes shared after a second start", await until(shared(first, second)));
    await flowing(orders);
    const beganMs = performance.now();
    const ended = second.end("SIGTERM");
    await until(runsAll(first));
    tell("lanes handed over on SIGTERM", performance.now() - beganMs);
    expect(await ended).toBe(0);
    tell("ended on SIGTERM", performance.now() - beganMs);
    await flowing(orders);
    await audited(orders);
  });

  test("take over the lanes of one that was killed", { timeout: 180_000 }, async () => {
    await using orders = load("kill", () => first.url);
    const second = await start();
    await until(shared(first, second));
    await flowing(orders);
    expect(await second.end("SIGKILL")).toBe("SIGKILL");
    tell("lanes taken over after kill -9", await until(runsAll(first)));
    await flowing(orders);
    await audited(orders);
  });

  test("do nothing twice when one was held for longer than its lease", { timeout: 180_000 }, async () => {
    await using orders = load("hold", () => first.url);
    const second = await start();
    await until(shared(first, second));
    await flowing(orders);
    second.signal("SIGSTOP");
    tell("lanes taken over from one that is held", await until(runsAll(first)));
    await flowing(orders);
    second.signal("SIGCONT");
    tell("lanes shared again after it goes on", await until(shared(first, second)));
    await flowing(orders);
    expect(await second.end("SIGTERM")).toBe(0);
    await audited(orders);
  });

  test("run single services, and the HTTP interface apart", { timeout: 180_000 }, async () => {
    const api = await start({ only: ["api"] });
    const payments = await start({ only: ["payments"] });
    const rest = await start({ only: services.filter((name) => name !== "payments") });
    expect([payments.url, rest.url, api.gatewayUrl]).toEqual(["", "", gateway.url]);
    await first.end("SIGTERM");
    const isApart = (of: Owners) => of.get(payments.pid) === 4 && of.size === 2 && of.has(rest.pid);
    tell("lanes shared by services", await until(isApart));
    await using orders = load("apart", () => api.url);
    await flowing(orders);
    await audited(orders);
    expect((await fetch(`${api.url}/health/ready`)).status).toBe(200);
  });
});
