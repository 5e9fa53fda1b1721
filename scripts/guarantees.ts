// Writes the tables of docs/guarantees.md: `npm run docs`.
import { keptWords, mishaps, worthOfFile, worthOfKafka, worthOfNats, worthOfPostgres } from "@waybill/server";
import type { Mishap, Worth } from "@waybill/server";

type Row = readonly [settings: string, worth: Worth];

const stream = { storage: "file", replicas: 3, sync: "always", persist: "default" } as const;
const kafka = { replicas: 3, minInSync: 2, uncleanElection: false, flushMessages: undefined, flushMs: undefined };
const postgres = { fsync: true, fullPageWrites: true, synchronousCommit: "on", synchronousStandbys: "ANY 1 (b, c)" };
const twoMinutesMs = 120_000;

const logs: readonly Row[] = [
  ["**embedded**: one file", worthOfFile({ journal: "wal", synchronous: "full" })],
  ["**NATS**: replicas 3, `sync_interval: always`", worthOfNats(stream)],
  ["NATS: replicas 3, `sync_interval` by default", worthOfNats({ ...stream, sync: twoMinutesMs })],
  ["NATS: one replica, `sync_interval: always`", worthOfNats({ ...stream, replicas: 1 })],
  ["NATS: one replica, `sync_interval` by default", worthOfNats({ ...stream, replicas: 1, sync: twoMinutesMs })],
  ["NATS: one replica, in memory", worthOfNats({ ...stream, replicas: 1, storage: "memory" })],
  ["**Kafka**: replicas 3, `flush.messages=1`", worthOfKafka({ ...kafka, flushMessages: 1 })],
  ["Kafka: replicas 3, `min.insync.replicas=2`", worthOfKafka(kafka)],
  ["Kafka: replicas 3, `min.insync.replicas=1`", worthOfKafka({ ...kafka, minInSync: 1 })],
  ["Kafka: replicas 3, unclean elections", worthOfKafka({ ...kafka, uncleanElection: true })],
  ["Kafka: one replica, `flush.messages=1`", worthOfKafka({ ...kafka, replicas: 1, minInSync: 1, flushMessages: 1 })],
  ["Kafka: one replica", worthOfKafka({ ...kafka, replicas: 1, minInSync: 1 })],
];

const stores: readonly Row[] = [
  ["**SQLite**: as Waybill sets it", worthOfFile({ journal: "wal", synchronous: "full" })],
  ["**PostgreSQL**: with a standby that commits wait for", worthOfPostgres(postgres)],
  ["PostgreSQL: alone, as it comes", worthOfPostgres({ ...postgres, synchronousStandbys: "" })],
  [
    "PostgreSQL: `full_page_writes = off`",
    worthOfPostgres({ ...postgres, synchronousStandbys: "", fullPageWrites: false }),
  ],
  ["PostgreSQL: `synchronous_commit = off`", worthOfPostgres({ ...postgres, synchronousCommit: "off" })],
  ["PostgreSQL: `fsync = off`", worthOfPostgres({ ...postgres, synchronousStandbys: "", fsync: false })],
];

/** What holds whichever log and database a topic and a service are on. */
const same: readonly string[] = [
  "An input changes state once; its messages, timers and effects come of it once. The log may repeat what it likes.",
  "Messages of one key keep their order within a topic. Between topics they come by time of publication, nearly right.",
  "A message between services that goes missing stops its readers and is named (`GAP`); it is never passed over in silence.",
  "A call to the outside is made at least once, with the same idempotency key each time; a card is charged once.",
  "Mail goes out at least once.",
  "A log that was exchanged, cut or put back, and a database that was put back, are noticed.",
];

/** What does not: few things, each for a reason of the engine's own. */
const differences: readonly (readonly [what: string, embedded: string, brokers: string])[] = [
  [
    "What is one transaction",
    "states and messages, in one file",
    "states and outgoing messages; the log has them a moment later",
  ],
  [
    "Acknowledged and then lost",
    "states and messages go together, to the same point",
    "what a service said is said again within a minute; what a door took is lost",
  ],
  ["Processes", "one serves the folder", "any number; lanes of one that died go to another"],
  ["The log is away", "cannot be without the states", "orders are taken still: they wait in the database"],
  [
    "Retention",
    "never deletes what a registered service has not read",
    "deletes by age and size, read or not; who comes too late stops (`RETENTION_PASSED`)",
  ],
];

const all = Object.keys(mishaps) as Mishap[];

function matrix(first: string, rows: readonly Row[]): readonly string[] {
  const head = [first, ...all.map((mishap) => `when ${mishaps[mishap]}`)];
  const cells = rows.map(([settings, { survives }]) => [
    settings,
    ...all.map((mishap) => {
      const { kept, why } = survives[mishap];
      return kept === "kept" ? keptWords.kept : `${keptWords[kept]}: ${why}`;
    }),
  ]);
  return table(head, cells);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`);
}

/** What an acknowledgement is worth on every engine, in the words of the doctor. */
export function guaranteeTables(): string {
  return [
    ...matrix("A message is acknowledged by", logs),
    "",
    ...matrix("A commit is confirmed by", stores),
    "",
    "On every engine:",
    "",
    ...same.map((line) => `- ${line}`),
    "",
    "What differs:",
    "",
    ...table(["", "embedded", "NATS or Kafka, with PostgreSQL"], differences),
  ].join("\n");
}
