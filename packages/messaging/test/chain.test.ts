import { array, assert, integer, nat, property } from "fast-check";
import { expect, test } from "vitest";
import { linkOf, markAfter } from "../src/lane/chain.ts";

const stamp = (n: number, prev: number) => ({ source: "s", n, prev });

test.each([
  { mark: undefined, n: 7, prev: 5, link: "next", why: "the first contact is taken wherever the chain is" },
  { mark: 7, n: 7, prev: 5, link: "repeat", why: "what was taken is a repeat" },
  { mark: 7, n: 3, prev: 1, link: "repeat", why: "what was taken long ago is a repeat" },
  { mark: 7, n: 9, prev: 7, link: "next", why: "what joins is next, though numbers between went elsewhere" },
  { mark: 7, n: 12, prev: 9, link: "gap", why: "what does not join has something missing before it" },
  { mark: 7, n: 9, prev: 6, link: "next", why: "a source that had forgotten what it said last still joins" },
  { mark: -7, n: 12, prev: 9, link: "next", why: "nothing is missing before two messages have joined" },
  { mark: -7, n: 7, prev: 5, link: "repeat", why: "a repeat is one also before two have joined" },
] as const)("$why", ({ mark, n, prev, link }) => {
  expect(linkOf(mark, stamp(n, prev))).toBe(link);
});

test("a mark joins with the first message of a chain, or with the second that is seen", () => {
  expect(markAfter(undefined, stamp(4, 0))).toBe(4);
  expect(markAfter(undefined, stamp(6, 4))).toBe(-6);
  expect(markAfter(-6, stamp(9, 6))).toBe(9);
  expect(markAfter(-6, stamp(9, 8))).toBe(-9);
  expect(markAfter(6, stamp(9, 6))).toBe(9);
});

test("whatever is repeated, and however often, each message is taken once and in order", () => {
  assert(
    property(
      array(integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 30 }),
      array(nat(40), { maxLength: 60 }),
      (steps, jumpsBack) => {
        const chain: { n: number; prev: number }[] = [];
        for (const step of steps) {
          const prev = chain.at(-1)?.n ?? 0;
          chain.push({ n: prev + step, prev });
        }
        const taken: number[] = [];
        let mark: number | undefined;
        let at = 0;
        // A sender that goes on, and every now and then says again from further back.
        for (let turn = 0; at < chain.length; turn++) {
          const { n, prev } = chain[at]!;
          const link = linkOf(mark, stamp(n, prev));
          expect(link).not.toBe("gap");
          if (link === "next") {
            taken.push(n);
            mark = markAfter(mark, stamp(n, prev));
          }
          at = turn < jumpsBack.length ? Math.max(0, at + 1 - (jumpsBack[turn]! % (at + 2))) : at + 1;
        }
        expect(taken).toEqual(chain.map(({ n }) => n));
      },
    ),
    { seed: 20_260_101 },
  );
});

test("whatever is missing between two that have joined is found", () => {
  assert(
    property(integer({ min: 3, max: 30 }), nat(), (length, choice) => {
      const missing = 2 + (choice % (length - 2));
      const links: string[] = [];
      let mark: number | undefined;
      for (let n = 1; n <= missing + 1; n++) {
        if (n === missing) continue;
        links.push(linkOf(mark, stamp(n, n - 1)));
        mark = markAfter(mark, stamp(n, n - 1));
      }
      expect(links).toEqual([...Array.from({ length: missing - 1 }, () => "next"), "gap"]);
    }),
    { seed: 20_260_101 },
  );
});
