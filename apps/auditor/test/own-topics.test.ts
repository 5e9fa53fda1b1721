import { partitionOf } from "@waybill/messaging";
import { expect, test } from "vitest";
import { audit } from "../src/audit.ts";
import type { Books, LogMessage } from "../src/books.ts";

const partitions = 4;
const home = partitionOf("ann", partitions);

/** A message of a topic that no contract of the shop knows. */
function message(offset: number, of: Partial<LogMessage>): LogMessage {
  const about = { id: `m-${offset}`, type: "loyalty.counted", subject: "ann", key: "ann", atMs: 1_000 + offset };
  const subjectAt = { text: "ann", from: 0, to: 3 };
  const stamp = { source: "s", n: offset + 1, prev: offset };
  const place = { topic: "loyalty", partition: home, offset, malformed: false };
  return { ...about, subjectAt, ...stamp, ...place, body: () => "{}", ...of };
}

/** The books of a shop that holds nothing but these messages. */
function booksWith(messages: readonly LogMessage[]): Books {
  const none = async function* () {};
  const topic = {
    name: "loyalty",
    partitions,
    isExact: true,
    isCut: false,
    cutMs: undefined,
    firstOffsets: Array<number>(partitions).fill(0),
    nextOffsets: Array<number>(partitions).fill(messages.length),
  };
  return {
    moment: "",
    topics: [topic],
    lanes: [],
    positions: [],
    confirmed: [],
    count: async () => 0,
    idAt: async () => undefined,
    states: none,
    ids: none,
    timers: none,
    effects: none,
    parked: none,
    sharedEffectIds: async () => [],
    messages: async (_, visit) => messages.forEach(visit),
    [Symbol.asyncDispose]: async () => {},
  };
}

async function breachesIn(...messages: readonly LogMessage[]) {
  const { breaches } = await audit({ books: booksWith(messages), ledger: undefined });
  return breaches.map(({ law, what }) => `${law}: ${what}`);
}

test("the messages of a service of one's own form chains as all do", async () => {
  expect(await breachesIn(message(0, {}), message(1, {}), message(2, {}))).toEqual([]);
  expect(await breachesIn(message(0, {}), message(2, {}))).toEqual([
    `1: loyalty/${home} is missing messages of source s after 1 up to 2.`,
  ]);
});

test("one that a service has said in another partition than its key's is found", async () => {
  const elsewhere = (home + 1) % partitions;
  expect(await breachesIn(message(0, { partition: elsewhere }))).toEqual([
    `3: Message m-0 with key ann lies in partition ${elsewhere} and belongs in ${home}.`,
  ]);
});

test("at a door of one's own the world may write where it likes: its reader passes that on", async () => {
  const elsewhere = (home + 1) % partitions;
  expect(await breachesIn(message(0, { partition: elsewhere, source: undefined, n: 0, prev: 0 }))).toEqual([]);
});
