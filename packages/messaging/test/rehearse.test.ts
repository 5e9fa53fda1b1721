import { rehearse, service, type ParkedInput } from "@waybill/messaging";
import { expect, test } from "vitest";
import { bell, count, counted, counter, thing } from "./counter.ts";
import { deploy, type Deployment } from "./deployment.ts";

const types = [count, counted];

/** A shop in which one key is parked, and that key's first input. */
async function parked(): Promise<{ shop: Deployment; input: ParkedInput }> {
  const shop = await deploy();
  await shop.start();
  await shop.publish(count, { id: "a", by: 1 });
  await shop.publish(count, { id: "a", by: 5, fail: true });
  await shop.until("a is parked", async () => (await shop.store.parkedKeys("counter")).length === 1);
  const [key] = await shop.store.parkedKeys("counter");
  const [input] = await shop.store.parked("counter", key!.partition, "a", 0, 1);
  return { shop, input: input! };
}

test("an input that would fail again says why, and changes nothing", async () => {
  const { shop, input } = await parked();
  const { store } = shop;
  expect(await rehearse({ service: counter, types, store, partitions: 4, input })).toEqual({
    kind: "failed",
    code: "Error",
    reason: "a cannot be counted",
  });
  expect(await shop.read("counter", thing("a"))).toMatchObject({ total: 1 });
});

test("an edited body shows what it would do on the states as they are, and nothing is kept", async () => {
  const { shop, input } = await parked();
  const body = JSON.stringify({ id: "a", by: 5, call: true, after: 1_000 });
  const would = await rehearse({ service: counter, types, store: shop.store, partitions: 4, input, body });
  expect(would).toMatchObject({
    kind: "done",
    isUnused: false,
    saved: [{ state: "thing", id: "a", value: { total: 6 } }],
    sent: [{ type: "thing.counted", body: { id: "a", total: 6 } }],
    effects: [{ name: "call", input: { id: "a", total: 6 } }],
    timers: [{ name: bell.name, key: "a" }],
  });
  expect(await shop.read("counter", thing("a"))).toMatchObject({ total: 1 });
  expect((await shop.store.parkedKeys("counter")).length).toBe(1);
});

test("an input that this build knows nothing of says so", async () => {
  const { shop, input } = await parked();
  const without = service("counter", { on: counter.rules.filter(({ on }) => on.kind !== "message"), sends: [counted] });
  const other = { ...input, type: counted.name, origin: JSON.stringify({ topic: counted.topic.name, partition: 0 }) };
  const would = await rehearse({ service: counter, types, store: shop.store, partitions: 4, input: other });
  expect(would.kind).toBe("failed");
  expect(await rehearse({ service: without, types, store: shop.store, partitions: 4, input })).toMatchObject({
    kind: "failed",
    code: "MESSAGE_UNKNOWN",
  });
});
