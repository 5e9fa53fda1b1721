import { describe, expect, it } from "vitest";
import { createGauge } from "../../src/replay/gauge.ts";

describe("a gauge", () => {
  it("lets go on when what is under way is little enough", async () => {
    const gauge = createGauge(new AbortController().signal);
    gauge.add("a", 3);
    gauge.add("b", 4);
    const told: string[] = [];
    const [small, none] = [gauge.below(5), gauge.below(1)];
    void small.then(() => told.push("small"));
    void none.then(() => told.push("none"));
    await gauge.below(8);
    expect(told).toEqual([]);
    gauge.remove("a");
    await small;
    expect(told).toEqual(["small"]);
    gauge.remove("b");
    await none;
    expect(gauge.count).toBe(0);
  });

  it("counts a thing once, however often it is added or removed", async () => {
    const gauge = createGauge(new AbortController().signal);
    gauge.add("a", 3);
    gauge.add("a", 3);
    expect(gauge.remove("a")).toBe(true);
    expect(gauge.remove("a")).toBe(false);
    await gauge.below(1);
  });

  it("ends every wait with the reason of an abort", async () => {
    const stop = new AbortController();
    const gauge = createGauge(stop.signal);
    gauge.add("a", 1);
    const wait = gauge.below(1);
    stop.abort(new Error("Enough."));
    await expect(wait).rejects.toThrow("Enough.");
    await expect(gauge.below(5)).rejects.toThrow("Enough.");
  });
});
