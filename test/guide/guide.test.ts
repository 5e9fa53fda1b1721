import { realWorld } from "@waybill/node";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { textOf } from "../boundaries/files.ts";
import { blocksOf } from "../readme/markdown.ts";
import { returnRequest } from "./returns.ts";
import { wholeLife } from "./rules.ts";
import { openDesk } from "./run.ts";

describe("the messaging guide", () => {
  test("shows the code that is tried here", () => {
    const files = ["returns.ts", "rules.ts", "run.ts"].map((name) => textOf(`test/guide/${name}`));
    const shown = blocksOf(textOf("docs/messaging-guide.md"), "ts");
    // What is for services/loyalty is tried there, by the test of `waybill new service`.
    expect(shown.filter((block) => !block.startsWith("// services/loyalty/"))).toEqual(files);
  });

  test("has rules that do what it says", () => {
    const { opened, timers, lapsed, state } = wholeLife();
    expect(opened).toEqual([{ type: "return.opened", body: { returnId: "r-1", orderId: "o-1", label: "L-1" } }]);
    expect(timers.map(({ name }) => name)).toEqual(["lapse"]);
    expect(lapsed).toEqual([{ type: "return.lapsed", body: { returnId: "r-1", orderId: "o-1" } }]);
    expect(state).toEqual({ orderId: "o-1", status: "lapsed" });
  });

  test("has a service that runs, and remembers over a restart", async () => {
    const folder = mkdtempSync(join(tmpdir(), "waybill-guide-"));
    const parcelOf = async (desk: Awaited<ReturnType<typeof openDesk>>) => {
      const [row] = await desk.store.load("returns", [{ kind: "parcel", id: "r-1" }]);
      return row && JSON.parse(row.body).status;
    };
    try {
      {
        await using desk = await openDesk(
          folder,
          realWorld(() => undefined),
        );
        await desk.publisher.publish(returnRequest, { returnId: "r-1", orderId: "o-1", email: "ann@example.org" });
        await vi.waitUntil(async () => (await parcelOf(desk)) === "open", 10_000);
      }
      await using desk = await openDesk(
        folder,
        realWorld(() => undefined),
      );
      expect(await parcelOf(desk)).toBe("open");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
