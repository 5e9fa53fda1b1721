import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startKafka, startNats, startNatsCluster, startPgBouncer, startPostgres, type Server } from "@waybill/brokers";
import { allTopics, topics } from "@waybill/contracts";
import {
  diagnose,
  effective,
  exitOf,
  look,
  openEngine,
  realWorld,
  type Diagnosis,
  type WaybillConfig,
} from "@waybill/server";
import type { Topic } from "@waybill/messaging";
import { migrate } from "@waybill/store-postgres";

let open: AsyncDisposableStack;
let postgres: Server;
beforeAll(async () => {
  open = new AsyncDisposableStack();
  postgres = open.use(await startPostgres());
  await migrate({ url: postgres.url });
});
afterAll(() => open.disposeAsync());

const world = realWorld(() => {});

/** Makes topics as a configuration declares them: all of the shop's, or some. */
async function declare(said: WaybillConfig, topics: readonly Topic[] = allTopics): Promise<void> {
  await using engine = await openEngine(effective(said), { world, data: "unused" });
  await engine.declare(topics, new Map());
}

async function diagnosisOf(said: WaybillConfig, natsMonitors: readonly string[] = []): Promise<Diagnosis> {
  const config = effective(said);
  return diagnose(config, await look(config, { natsMonitors }));
}

/** What is said of a topic or, without one, of a part. */
function said({ problems }: Diagnosis, part: string, topic?: string): readonly string[] {
  return problems.filter((one) => one.part === part && one.topic === topic).map(({ kind, text }) => `${kind}: ${text}`);
}

function worthOf({ topics }: Diagnosis, topic: string): readonly (string | undefined)[] {
  const survives = topics.find((one) => one.topic === topic)?.worth?.survives;
  return [survives?.process.kept, survives?.machine.kept, survives?.disk.kept, survives?.site.kept];
}

/** Where a NATS server that a test started tells of itself. */
function monitorOf({ folder }: Server): string {
  return `http://${/^http: "(.*)"$/m.exec(readFileSync(join(folder, "nats.conf"), "utf8"))![1]}`;
}

describe("NATS", () => {
  test("that writes through is fine, once its monitoring is named", async () => {
    await using nats = await startNats();
    const config: WaybillConfig = { engine: "nats", nats: { url: nats.url }, postgres: { url: postgres.url } };
    const before = await diagnosisOf(config, [monitorOf(nats)]);
    expect(said(before, "NATS", "orders-in")).toEqual([expect.stringMatching(/^unseen: It is not made yet/)]);
    expect(exitOf(before)).toBe(2);

    await declare(config);
    const unseen = await diagnosisOf(config);
    expect(worthOf(unseen, "orders-in")).toEqual(["kept", "unknown", "lost", "unknown"]);
    expect(exitOf(unseen)).toBe(2);

    const told = await diagnosisOf(config, [monitorOf(nats)]);
    expect(told.problems).toEqual([]);
    expect(worthOf(told, "orders-in")).toEqual(["kept", "kept", "lost", "kept"]);
    expect(exitOf(told)).toBe(0);

    // The same server, asked for another retention than it has.
    const other = await diagnosisOf({ ...config, topics: { orders: { retentionDays: 7 } } }, [monitorOf(nats)]);
    expect(said(other, "NATS", "orders")).toEqual([
      expect.stringMatching(/retention is for ever, and 7 days is declared/),
    ]);
    expect(exitOf(other)).toBe(1);
  });

  test("that writes through every two minutes is weaker than declared", async () => {
    await using nats = await startNats({ syncInterval: "2m" });
    const config: WaybillConfig = { engine: "nats", nats: { url: nats.url }, postgres: { url: postgres.url } };
    await declare(config);
    const diagnosis = await diagnosisOf(config, [monitorOf(nats), "http://127.0.0.1:1"]);
    expect(worthOf(diagnosis, "orders-in")).toEqual(["kept", "lost", "lost", "lost"]);
    expect(said(diagnosis, "NATS", "orders-in")).toEqual([
      expect.stringMatching(/^weaker: .*up to 2 minutes.*sync_interval: always/),
    ]);
    expect(said(diagnosis, "NATS")).toEqual([
      expect.stringMatching(/^unseen: The monitoring at http:\/\/127\.0\.0\.1:1 /),
    ]);
    expect(exitOf(diagnosis)).toBe(1);
  });

  test("with three servers survives the loss of one, and says when one is away", async () => {
    await using cluster = await startNatsCluster();
    const config: WaybillConfig = {
      engine: "nats",
      nats: { url: cluster.url },
      postgres: { url: postgres.url },
      topics: { "*": { replicas: 3 } },
    };
    const monitors = cluster.servers.map(monitorOf);
    await declare(config);
    await expect.poll(async () => (await diagnosisOf(config, monitors)).problems, { timeout: 60_000 }).toEqual([]);
    expect(worthOf(await diagnosisOf(config, monitors), "orders")).toEqual(["kept", "kept", "kept", "kept"]);

    const partly = await diagnosisOf(config, monitors.slice(0, 2));
    expect(worthOf(partly, "orders")).toEqual(["kept", "unknown", "kept", "unknown"]);

    await cluster.servers[2]!.kill();
    const away = async () => said(await diagnosisOf(config, monitors), "NATS", "orders-in").join();
    await expect.poll(away, { timeout: 60_000 }).toMatch(/wrong: Of the servers that keep it, waybill-3 is away/);
  });

  test("that cannot be reached is not seen", async () => {
    const config: WaybillConfig = {
      engine: "nats",
      nats: { url: "nats://127.0.0.1:1" },
      postgres: { url: postgres.url },
    };
    const diagnosis = await diagnosisOf(config);
    expect(diagnosis.problems).toEqual([
      { part: "NATS", kind: "unseen", text: expect.stringContaining("127.0.0.1:1") },
    ]);
    expect(exitOf(diagnosis)).toBe(2);
  });
});

describe("Kafka", () => {
  // Kafka takes its time to make 32 partitions of each.
  const some = [topics.ordersIn, topics.orders];

  test("with one replica loses the last messages with the power", async () => {
    await using kafka = await startKafka();
    const config: WaybillConfig = { engine: "kafka", kafka: { url: kafka.url }, postgres: { url: postgres.url } };
    await declare(config, some);
    const weak = await diagnosisOf(config);
    expect(worthOf(weak, "orders-in")).toEqual(["kept", "lost", "lost", "lost"]);
    expect(said(weak, "Kafka", "orders-in")).toEqual([expect.stringMatching(/^weaker: .*replicas 3/)]);
    expect(exitOf(weak)).toBe(1);

    const other = await diagnosisOf({ ...config, topics: { orders: { retentionDays: 1, retentionMib: 32 } } });
    expect(said(other, "Kafka", "orders")).toEqual([
      expect.stringMatching(/^wrong: Its retention is for ever, and 1 day is declared/),
      expect.stringMatching(/^wrong: Its size of a partition is without a bound, and 1048576 bytes is declared/),
      expect.stringMatching(/^weaker: /),
    ]);
  });

  test("that writes through by the settings of its brokers is as strong as one replica can be", async () => {
    await using kafka = await startKafka({
      properties: { "log.flush.interval.messages": 1 },
    });
    const config: WaybillConfig = { engine: "kafka", kafka: { url: kafka.url }, postgres: { url: postgres.url } };
    await declare(config, some);
    const diagnosis = await diagnosisOf(config);
    expect(worthOf(diagnosis, "orders-in")).toEqual(["kept", "kept", "lost", "kept"]);
    expect(diagnosis.problems.filter(({ kind }) => kind !== "unseen")).toEqual([]);
    expect(said(diagnosis, "Kafka", "orders-in")).toEqual([]);
    expect(said(diagnosis, "Kafka", "products")).toEqual([expect.stringMatching(/^unseen: It is not made yet/)]);
    expect(diagnosis.parts.find(({ name }) => name === "Kafka")!.found["version"]).toMatch(/^4\./);
  });
});

describe("PostgreSQL", () => {
  const withoutBroker = { engine: "nats", nats: { url: "nats://127.0.0.1:1" } } as const;
  const diagnosisAt = (url: string) => diagnosisOf({ ...withoutBroker, postgres: { url } });

  test("that writes through is fine, behind PgBouncer as well", async () => {
    expect(said(await diagnosisAt(postgres.url), "PostgreSQL")).toEqual([]);
    await using pooler = await startPgBouncer(postgres);
    const pooled = await diagnosisAt(pooler.url);
    expect(said(pooled, "PostgreSQL")).toEqual([]);
    expect(pooled.parts.find(({ name }) => name === "PostgreSQL")!.found["pooler"]).toMatch(/^between/);
  });

  test("with weak settings and without tables says what that means", async () => {
    await using weak = await startPostgres({
      settings: { fsync: false, full_page_writes: false, synchronous_commit: false, max_connections: 6 },
    });
    const diagnosis = await diagnosisAt(weak.url);
    expect(said(diagnosis, "PostgreSQL")).toEqual([
      expect.stringMatching(/^weaker: .*server's process is killed.*synchronous_commit off/),
      expect.stringMatching(/^weaker: .*machine crashes.*fsync off/),
      expect.stringMatching(/^wrong: .*layout 0 of \d+: run `waybill migrate`/),
      expect.stringMatching(/^wrong: It takes 6 connections/),
    ]);
    expect(exitOf(diagnosis)).toBe(1);
  });
});
