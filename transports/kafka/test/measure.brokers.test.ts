import { sharedKafka } from "@waybill/brokers";
import { expect, test } from "vitest";
import { measureAlone, measureAppends, measureReads } from "../bench/measure.ts";

test("what is measured can be measured", async () => {
  const bootstrap = await sharedKafka();
  const { waybill, raw, bare } = await measureAppends(bootstrap, { rounds: 1, calls: 1, partitions: 2 });
  expect([...waybill, ...raw, ...bare].every((rate) => rate > 0)).toBe(true);
  expect((await measureReads(bootstrap, 2, 4_000)).perSecond).toBeGreaterThan(0);
  expect(await measureAlone(bootstrap, 5)).toHaveLength(5);
});
