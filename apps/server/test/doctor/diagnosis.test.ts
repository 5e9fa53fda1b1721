import { describe, expect, test } from "vitest";
import { diagnose, diagnosisText, effective, exitOf, type WaybillConfig } from "@waybill/server";
import type { Findings, KafkaFindings, NatsFindings, Seen } from "../../src/doctor/findings.ts";

const urls: WaybillConfig = {
  postgres: { url: "postgres://waybill@127.0.0.1:5432/waybill" },
  nats: { url: "nats://127.0.0.1:4222" },
  kafka: { url: "127.0.0.1:9092" },
};
const config = (said: WaybillConfig) => effective({ ...urls, ...said });

type Found<Name extends keyof Findings> = Extract<NonNullable<Findings[Name]>, { found: unknown }>["found"];
type Stream = Extract<ReturnType<NatsFindings["streams"]["get"]>, { found: unknown }>["found"];
type KafkaTopic = Extract<ReturnType<KafkaFindings["topics"]["get"]>, { found: unknown }>["found"];

const postgres: Found<"postgres"> = {
  version: "15.18",
  versionNumber: 150_018,
  encoding: "UTF8",
  standby: false,
  fsync: true,
  synchronousCommit: "on",
  synchronousStandbys: "",
  fullPageWrites: true,
  walLevel: "replica",
  connectionsMax: 200,
  schema: "waybill",
  layout: 1,
  layoutNeeded: 1,
  pooled: false,
  unsafe: [],
};

const stream: Stream = {
  topic: "",
  partitions: 32,
  replicas: 1,
  servers: ["one"],
  lagging: [],
  storage: "file",
  compression: "none",
  retentionMs: undefined,
  retentionBytes: undefined,
  discard: "old",
  recordBytesMax: 1_008_192,
  atomicBatches: true,
  persistMode: "default",
  messages: 0,
  bytes: 0,
};

const kafkaTopic: KafkaTopic = {
  name: "",
  logId: "id",
  partitions: 32,
  replicas: 1,
  minInSync: 1,
  uncleanElection: false,
  cleanup: "delete",
  retentionMs: undefined,
  retentionBytesPerPartition: undefined,
  bytesMax: 1_000_000,
  batchBytesMax: 2_048_576,
  compression: "producer",
  flushMessages: 1,
  flushMs: undefined,
  inSync: [{ partition: 0, leader: 1, replicas: 1, inSync: 1 }],
};

const names = Object.keys(config({ engine: "nats" }).topics);
const every = <T>(found: T): ReadonlyMap<string, Seen<T>> => new Map(names.map((name) => [name, { found }]));

function onNats(
  change: { postgres?: Partial<typeof postgres>; stream?: Partial<Stream>; nats?: Partial<NatsFindings> } = {},
): Findings {
  const nats: NatsFindings = {
    server: {
      name: "one",
      version: "2.15.2",
      cluster: undefined,
      maxPayloadBytes: 1_048_576,
      tls: false,
      syncInterval: "not visible to a client",
    },
    sync: new Map([["one", "always"]]),
    silent: [],
    streams: every({ ...stream, ...change.stream }),
    ...change.nats,
  };
  return { postgres: { found: { ...postgres, ...change.postgres } }, nats: { found: nats } };
}

function onKafka(change: Partial<KafkaTopic> = {}): Findings {
  const kafka = { version: "4.1", brokers: [], topics: every({ ...kafkaTopic, ...change }) };
  return { postgres: { found: postgres }, kafka: { found: kafka } };
}

/** The problems of a deployment, each as kind, part and text, and what to exit with. */
function problems(
  said: WaybillConfig,
  findings: Findings,
): { readonly exit: number; readonly texts: readonly string[] } {
  const diagnosis = diagnose(config(said), findings);
  const texts = diagnosis.problems.map(({ kind, part, topic = "", text }) => `${kind} ${part} ${topic}: ${text}`);
  return { exit: exitOf(diagnosis), texts };
}

test.each([
  ["NATS", "nats", onNats()],
  ["Kafka", "kafka", onKafka()],
] as const)("%s with strong settings is fine", (_, engine, findings) => {
  expect(problems({ engine }, findings)).toEqual({ exit: 0, texts: [] });
  const diagnosis = diagnose(config({ engine }), findings);
  expect(diagnosis.topics.map(({ topic }) => topic)).toEqual(names);
  expect(diagnosisText(diagnosis)).toMatch(/as strong as it was declared\.$/);
});

describe("what is not as it should be is named", () => {
  const nats: WaybillConfig = { engine: "nats" };
  const kafka: WaybillConfig = { engine: "kafka" };
  const rows: readonly (readonly [string, WaybillConfig, Findings, number, RegExp])[] = [
    ["fsync off", nats, onNats({ postgres: { fsync: false } }), 1, /^weaker PostgreSQL : .*machine.*fsync = on/],
    ["no tables", nats, onNats({ postgres: { layout: 0 } }), 1, /^wrong PostgreSQL : .*layout 0 of 1.*waybill migrate/],
    ["a standby", nats, onNats({ postgres: { standby: true } }), 1, /^wrong PostgreSQL : .*primary/],
    ["few connections", nats, onNats({ postgres: { connectionsMax: 9 } }), 1, /takes 9 connections.*up to 10/],
    ["an old PostgreSQL", nats, onNats({ postgres: { versionNumber: 140_001 } }), 1, /15 or later/],
    ["another encoding", nats, onNats({ postgres: { encoding: "LATIN1" } }), 1, /LATIN1/],
    [
      "sync_interval by default",
      nats,
      onNats({ nats: { sync: new Map([["one", 120_000]]) } }),
      1,
      /^weaker NATS orders-in: .*lost when a machine.*2 minutes.*sync_interval: always/,
    ],
    [
      "sync_interval unseen",
      nats,
      onNats({ nats: { sync: new Map() } }),
      2,
      /^unseen NATS orders-in: Nobody could tell.*2 minutes/,
    ],
    [
      "one of three servers by default",
      { ...nats, topics: { "*": { replicas: 3 } } },
      onNats({
        stream: { replicas: 3, servers: ["one", "two", "three"] },
        nats: {
          sync: new Map<string, "always" | number>([
            ["one", "always"],
            ["two", "always"],
            ["three", 120_000],
          ]),
        },
      }),
      1,
      /^weaker NATS orders-in: .*may be lost when a machine/,
    ],
    ["monitoring that is silent", nats, onNats({ nats: { silent: ["It is away."] } }), 2, /^unseen NATS : It is away/],
    [
      "fewer replicas",
      { ...nats, topics: { "*": { replicas: 3 } } },
      onNats(),
      1,
      /^weaker NATS orders-in: .*lost when a machine, its disk.*replicas 3/,
    ],
    ["another retention", nats, onNats({ stream: { retentionMs: 3_600_000 } }), 1, /retention is 1 hour, and for ever/],
    ["a bound", nats, onNats({ stream: { retentionBytes: 5_000 } }), 1, /size is 5000 bytes, and without a bound/],
    ["memory", nats, onNats({ stream: { storage: "memory" } }), 1, /storage is memory, and file is declared/],
    ["other partitions", nats, onNats({ stream: { partitions: 8 } }), 1, /partitions is 8, and 32/],
    ["no atomic batches", nats, onNats({ stream: { atomicBatches: false } }), 1, /allow_atomic/],
    ["a server behind", nats, onNats({ stream: { lagging: ["two"] } }), 1, /two is away or behind/],
    [
      "a stream that is not made yet",
      nats,
      onNats({ nats: { streams: new Map() } }),
      2,
      /^unseen NATS orders-in: It is not made yet/,
    ],
    [
      "a broker that is away",
      nats,
      { ...onNats(), nats: { missed: { kind: "unreachable", text: "Nobody answers." } } },
      2,
      /^unseen NATS : Nobody answers/,
    ],
    [
      "a server that is too old",
      nats,
      { ...onNats(), nats: { missed: { kind: "refused", text: "It is too old." } } },
      1,
      /^wrong NATS : It is too old/,
    ],
    [
      "one replica that is not flushed",
      kafka,
      onKafka({ flushMessages: undefined }),
      1,
      /^weaker Kafka orders-in: .*lost when a machine crashes.*replicas 3/,
    ],
    [
      "an unclean election",
      { ...kafka, topics: { "*": { replicas: 3 } } },
      onKafka({ replicas: 3, minInSync: 2, uncleanElection: true }),
      1,
      /may be lost when a server's process.*unclean\.leader\.election\.enable=false/,
    ],
    ["compaction", kafka, onKafka({ cleanup: "compact" }), 1, /cleanup\.policy is compact/],
    ["small messages", kafka, onKafka({ bytesMax: 1_000 }), 1, /takes messages of 1000 bytes.*1000000 are declared/],
    [
      "partitions without a leader",
      kafka,
      onKafka({ inSync: [{ partition: 0, leader: -1, replicas: 1, inSync: 1 }] }),
      1,
      /1 of 32 partitions have no leader/,
    ],
    [
      "too few in sync",
      kafka,
      onKafka({ replicas: 3, minInSync: 2, inSync: [{ partition: 0, leader: 1, replicas: 3, inSync: 1 }] }),
      1,
      /fewer than 2 replicas in sync/,
    ],
    [
      "replicas behind",
      kafka,
      onKafka({ replicas: 3, minInSync: 2, inSync: [{ partition: 0, leader: 1, replicas: 3, inSync: 2 }] }),
      1,
      /replicas that are away or behind/,
    ],
  ];

  test.each(rows)("%s", (_, said, findings, exit, text) => {
    const found = problems(said, findings);
    expect(found.exit).toBe(exit);
    expect(
      found.texts.some((one) => text.test(one)),
      found.texts.join("\n"),
    ).toBe(true);
  });
});

test("what is declared to be weak is no problem", () => {
  const inMemory = { engine: "nats", topics: { "*": { storage: "memory" } } } as const;
  expect(problems(inMemory, onNats({ stream: { storage: "memory" } }))).toEqual({ exit: 0, texts: [] });
  const kept = { engine: "nats", topics: { "*": { retentionDays: 30 } } } as const;
  expect(problems(kept, onNats({ stream: { retentionMs: 2_592_000_000 } }))).toEqual({ exit: 0, texts: [] });
});

test("a copy is told apart", () => {
  const hybrid = { ...onNats(), ...onKafka() };
  const { topics } = diagnose(config({ engine: "hybrid" }), hybrid);
  const copies = topics.filter(({ mirror }) => mirror);
  expect(copies.map(({ topic, broker }) => [topic, broker])).toEqual([
    ["orders", "kafka"],
    ["stock", "kafka"],
    ["payments", "kafka"],
  ]);
  const onKafkaOnly = ["catalogue-in", "products", "shipments-in", "shipments"];
  const without = new Map(onKafkaOnly.map((name) => [name, { found: kafkaTopic }]));
  const found = problems(
    { engine: "hybrid" },
    { ...hybrid, kafka: { found: { version: "4.1", brokers: [], topics: without } } },
  );
  expect(found.exit).toBe(2);
  expect(found.texts).toHaveLength(3);
  expect(found.texts[0]).toMatch(/^unseen Kafka copy of orders: It is not made yet/);
});

test("a door is lost for good, and what a service said is said again", () => {
  const { topics } = diagnose(config({ engine: "nats" }), onNats());
  const ifLost = new Map(topics.map(({ topic, ifLost: text }) => [topic, text]));
  expect(ifLost.get("orders-in")).toContain("lost for good");
  expect(ifLost.get("orders")).toContain("says it again");
});

test("the embedded file says so when its disk is nearly full", () => {
  const file = (roomBytes: number): Findings => ({
    file: {
      found: {
        path: "waybill.db",
        sqlite: "3.50.4",
        journal: "wal",
        synchronous: "full",
        bytes: 8_192,
        roomBytes,
        topics: new Map(names.map((name) => [name, { retentionMs: undefined, retentionBytes: undefined }])),
      },
    },
  });
  expect(problems({ engine: "embedded" }, file(1e12))).toEqual({ exit: 0, texts: [] });
  expect(problems({ engine: "embedded" }, file(1e8))).toMatchObject({
    exit: 1,
    texts: [expect.stringMatching(/^wrong SQLite : The disk has room for 95 MiB/)],
  });
});
