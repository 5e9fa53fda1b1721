import { describe, expect, test } from "vitest";
import type { Books, LogMessage, TopicFacts } from "../src/books.ts";
import { Findings } from "../src/findings.ts";
import { Chains } from "../src/log/chains.ts";

const topic = (isExact: boolean): TopicFacts => ({
  name: "orders",
  partitions: 1,
  isExact,
  isCut: false,
  cutMs: undefined,
  firstOffsets: [0],
  nextOffsets: [100],
});

let offset = 0;
const message = (n: number, prev: number): LogMessage => ({
  topic: "orders",
  partition: 0,
  offset: offset++,
  id: `m-${n}`,
  type: "order.placed",
  subject: "o-1",
  subjectAt: { text: "o-1", from: 0, to: 3 },
  key: "o-1",
  atMs: 1_000 + n,
  source: "s",
  n,
  prev,
  malformed: false,
  body: () => "{}",
});

/** Which of these messages (number, number before it) count, and what is said of them. */
function read(isExact: boolean, stamps: readonly [number, number][], books: Partial<Books> = {}) {
  offset = 0;
  const findings = new Findings();
  const chains = new Chains(topic(isExact), { positions: [], lanes: [], confirmed: [], ...books }, findings);
  const counted = stamps.filter(([n, prev]) => chains.take(message(n, prev)) !== undefined).map(([n]) => n);
  chains.end();
  return { counted, said: findings.kept.map(({ law, what }) => `${law} ${what}`) };
}

describe("in a log of one file", () => {
  test("an unbroken chain, begun anew by another life of its lane, is well", () => {
    expect(
      read(true, [
        [1, 0],
        [4, 1],
        [9, 0],
      ]),
    ).toEqual({ counted: [1, 4, 9], said: [] });
  });

  test.each([
    [
      "a message that is missing",
      [
        [1, 0],
        [5, 4],
      ],
      "1 orders/0 is missing messages of source s after 1 up to 4.",
    ],
    ["the first that is missing", [[5, 4]], "1 orders/0 is missing messages of source s after 0 up to 4."],
    [
      "one that is there twice",
      [
        [1, 0],
        [1, 0],
      ],
      "3 Message has number 1 of source s, behind number 1.",
    ],
    [
      "two that follow the same one",
      [
        [1, 0],
        [4, 1],
        [6, 1],
      ],
      "1 Message follows number 1 of source s, and so does number 4.",
    ],
  ] as const)("%s is a breach", (_, stamps, said) => {
    expect(read(true, stamps as unknown as [number, number][]).said).toEqual([said]);
  });

  test("a number that its lane has not given yet is a breach", () => {
    const lane = { service: "orders", lane: 0, source: "s", nextN: 4, timeMs: 0, stopped: undefined };
    expect(
      read(
        true,
        [
          [1, 0],
          [4, 1],
        ],
        { lanes: [lane] },
      ).said,
    ).toEqual(["1 Message has number 4 of orders/0, which has only given 3."]);
  });
});

describe("in a broker's log", () => {
  test("repeats count once", () => {
    const stamps: [number, number][] = [
      [1, 0],
      [4, 1],
      [1, 0],
      [4, 1],
      [6, 4],
    ];
    expect(read(false, stamps)).toEqual({ counted: [1, 4, 6], said: [] });
  });

  test("what was lost and is said again behind what came in between is well", () => {
    const stamps: [number, number][] = [
      [1, 0],
      [6, 4],
      [4, 1],
      [6, 4],
    ];
    expect(read(false, stamps)).toEqual({ counted: [1, 4, 6], said: [] });
  });

  test("what was lost and never said again is a breach", () => {
    const said = ["1 orders/0 is missing messages of source s after 1 up to 4."];
    expect(
      read(false, [
        [1, 0],
        [6, 4],
      ]),
    ).toEqual({ counted: [1], said });
  });

  test("what was said after the moment of the states does not count", () => {
    const lane = { service: "orders", lane: 0, source: "s", nextN: 4, timeMs: 0, stopped: undefined };
    expect(
      read(
        false,
        [
          [1, 0],
          [4, 1],
        ],
        { lanes: [lane] },
      ),
    ).toEqual({ counted: [1], said: [] });
  });

  test("what it has confirmed and does not hold is a breach", () => {
    const confirmed = [{ topic: "orders", partition: 0, source: "s", n: 4 }];
    expect(
      read(
        false,
        [
          [1, 0],
          [4, 1],
        ],
        { confirmed },
      ).said,
    ).toEqual([]);
    expect(read(false, [[1, 0]], { confirmed }).said).toEqual([
      "1 The broker has confirmed messages of source s up to 4, and holds them up to 1.",
    ]);
  });
});

test("a reader stands where its marks say", () => {
  const position = { service: "inventory", topic: "orders", partition: 0, nextOffset: 2, lastOffset: 1, lastId: "m-4" };
  const at = (marks: Record<string, number>, lastId = "m-4") =>
    read(
      true,
      [
        [1, 0],
        [4, 1],
        [6, 4],
      ],
      { positions: [{ ...position, lastId, marks }] },
    ).said;
  expect(at({ s: 4 })).toEqual([]);
  expect(at({ s: -4 })).toEqual([]);
  expect(at({ s: 1 })).toHaveLength(1);
  expect(at({ s: 6 })).toHaveLength(1);
  expect(at({ s: 4 }, "another")).toEqual(["1 Message is m-4; inventory read another there."]);
});
