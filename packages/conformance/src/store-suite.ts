import { describe } from "vitest";
import { claimCases } from "./store-claims.ts";
import { commitCases } from "./store-commits.ts";
import { crashCases } from "./store-crashes.ts";
import { effectCases } from "./store-effects.ts";
import { fenceCases } from "./store-fence.ts";
import type { OpenStore } from "./store-fixture.ts";
import { memberCases } from "./store-members.ts";
import { outboxCases } from "./store-outbox.ts";
import { parkedCases } from "./store-parked.ts";
import { stateCases } from "./store-states.ts";
import { timerCases } from "./store-timers.ts";

/** Tries every promise of the Store contract on an implementation. `open` is called once for each case. */
export function testStore(name: string, open: OpenStore): void {
  describe(`${name} keeps the store's promises`, () => {
    describe("services and members", () => {
      memberCases(open);
    });
    describe("claims", () => {
      claimCases(open);
    });
    describe("commits", () => {
      commitCases(open);
    });
    describe("the fence", () => {
      fenceCases(open);
    });
    describe("crashes", () => {
      crashCases(open);
    });
    describe("states and positions", () => {
      stateCases(open);
    });
    describe("timers", () => {
      timerCases(open);
    });
    describe("effects", () => {
      effectCases(open);
    });
    describe("the outbox", () => {
      outboxCases(open);
    });
    describe("parked inputs and what doors have seen", () => {
      parkedCases(open);
    });
  });
}
