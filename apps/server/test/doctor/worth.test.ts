import { describe, expect, test } from "vitest";
import { worthOfKafka, type KafkaFacts } from "../../src/doctor/kafka-worth.ts";
import { worthOfNats, type NatsFacts } from "../../src/doctor/nats-worth.ts";
import { worthOfFile, worthOfPostgres, type PostgresFacts } from "../../src/doctor/store-worth.ts";
import { neededBy, timeText, type Declared, type Kept, type Mishap, type Worth } from "../../src/doctor/worth.ts";

const mishaps: readonly Mishap[] = ["process", "machine", "disk", "site"];
const letters: Readonly<Record<Kept, string>> = { kept: "+", mostly: "~", lost: "-", unknown: "?" };

/** One sign each for process, machine, disk and site. */
function signs({ survives }: Worth): string {
  return mishaps.map((mishap) => letters[survives[mishap].kept]).join("");
}

const adviceText = ({ advice }: Worth) => advice.join("\n");

describe("NATS", () => {
  const strong: NatsFacts = { storage: "file", replicas: 3, sync: "always", persist: "default" };
  const rows: readonly (readonly [Partial<NatsFacts>, string, RegExp])[] = [
    [{}, "++++", /^$/],
    [{ replicas: 5 }, "++++", /^$/],
    [{ replicas: 1 }, "++-+", /replicas 3/],
    [{ replicas: 2 }, "++++", /three replicas/],
    [{ sync: 120_000 }, "+~+-", /sync_interval: always/],
    [{ sync: undefined }, "+?+?", /sync_interval: always/],
    [{ replicas: 1, sync: 120_000 }, "+---", /sync_interval: always/],
    [{ replicas: 1, sync: undefined }, "+?-?", /sync_interval: always/],
    [{ replicas: 1, sync: 2e9 }, "+---", /in quotes/],
    [{ storage: "memory" }, "~~~-", /storage "file"/],
    [{ storage: "memory", replicas: 1 }, "----", /storage "file"[^]*replicas 3/],
    [{ persist: "async", replicas: 1 }, "----", /persist mode/],
  ];

  test.each(rows)("%j is worth %s", (facts, worth, advice) => {
    const found = worthOfNats({ ...strong, ...facts });
    expect(signs(found)).toBe(worth);
    expect(adviceText(found)).toMatch(advice);
  });

  test("names how much may be lost", () => {
    const { survives } = worthOfNats({ ...strong, replicas: 1, sync: 90_000 });
    expect(survives.machine.why).toContain("1.5 minutes");
  });
});

describe("Kafka", () => {
  const strong: KafkaFacts = {
    replicas: 3,
    minInSync: 2,
    uncleanElection: false,
    flushMessages: 1,
    flushMs: undefined,
  };
  const rows: readonly (readonly [Partial<KafkaFacts>, string, RegExp])[] = [
    [{}, "++++", /^$/],
    [{ flushMessages: undefined }, "+++-", /flush\.messages=1/],
    [{ flushMessages: 2 }, "+++-", /flush\.messages=1/],
    [{ flushMessages: undefined, flushMs: 1_000 }, "+++-", /flush\.messages=1/],
    [{ replicas: 1, minInSync: 1 }, "++-+", /replicas 3/],
    [{ replicas: 1, minInSync: 1, flushMessages: undefined }, "+---", /replicas 3[^]*flush\.messages=1/],
    [{ minInSync: 1 }, "++~+", /min\.insync\.replicas=2/],
    [{ minInSync: 1, flushMessages: undefined }, "+~~-", /min\.insync\.replicas=2/],
    [{ replicas: 2 }, "++++", /three replicas/],
    [{ uncleanElection: true }, "~~~~", /unclean\.leader\.election/],
    [{ uncleanElection: true, flushMessages: undefined }, "~~~-", /unclean\.leader\.election/],
    // Alone there is nobody to elect.
    [{ uncleanElection: true, replicas: 1, minInSync: 1 }, "++-+", /replicas 3/],
  ];

  test.each(rows)("%j is worth %s", (facts, worth, advice) => {
    const found = worthOfKafka({ ...strong, ...facts });
    expect(signs(found)).toBe(worth);
    expect(adviceText(found)).toMatch(advice);
  });

  test("names how much may be lost", () => {
    const { survives } = worthOfKafka({ ...strong, replicas: 1, flushMessages: undefined, flushMs: 5_000 });
    expect(survives.machine.why).toContain("5 seconds");
  });
});

describe("PostgreSQL", () => {
  const strong: PostgresFacts = {
    fsync: true,
    fullPageWrites: true,
    synchronousCommit: "on",
    synchronousStandbys: "ANY 1 (b, c)",
  };
  const rows: readonly (readonly [Partial<PostgresFacts>, string, RegExp])[] = [
    [{}, "++++", /^$/],
    [{ synchronousCommit: "remote_apply" }, "++++", /^$/],
    [{ synchronousCommit: "remote_write" }, "++++", /^$/],
    [{ synchronousCommit: "local" }, "++-+", /Wait for the standbys/],
    [{ synchronousStandbys: "" }, "++-+", /synchronous_standby_names/],
    [{ synchronousCommit: "off" }, "----", /synchronous_commit = on/],
    [{ fsync: false }, "+-+-", /fsync = on/],
    [{ fsync: false, synchronousStandbys: "" }, "+---", /fsync = on/],
    [{ fullPageWrites: false }, "+~+~", /full_page_writes = on/],
  ];

  test.each(rows)("%j is worth %s", (facts, worth, advice) => {
    const found = worthOfPostgres({ ...strong, ...facts });
    expect(signs(found)).toBe(worth);
    expect(adviceText(found)).toMatch(advice);
  });
});

describe("the embedded file", () => {
  test.each([
    [{ journal: "wal", synchronous: "full" }, "++-+"],
    [{ journal: "wal", synchronous: "normal" }, "+---"],
    [{ journal: "delete", synchronous: "full" }, "+---"],
  ])("%j is worth %s", (facts, worth) => {
    expect(signs(worthOfFile(facts))).toBe(worth);
  });
});

describe("what is needed", () => {
  const rows: readonly (readonly [Declared, readonly Mishap[]])[] = [
    [{}, ["process", "machine"]],
    [{ storage: "file", replicas: 1 }, ["process", "machine"]],
    [{ replicas: 3 }, ["process", "machine", "disk"]],
    [{ storage: "memory" }, []],
    [{ storage: "memory", replicas: 3 }, ["process", "machine", "disk"]],
  ];

  test.each(rows)("for %j is to survive %j", (declared, expected) => {
    expect(neededBy(declared)).toEqual(expected);
  });
});

test.each([
  [5, "5 ms"],
  [1_000, "1 second"],
  [120_000, "2 minutes"],
  [5_400_000, "1.5 hours"],
  [2_592_000_000, "30 days"],
])("%i ms are %s", (ms, text) => {
  expect(timeText(ms)).toBe(text);
});
