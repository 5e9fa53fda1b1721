import { expect, test } from "vitest";
import { faultyTransport } from "@waybill/conformance";
import type { Transport } from "@waybill/messaging";
import { deploy, idsIn, type Deployment, type Process } from "./deployment.ts";
import { bill, openBill, payBill, till } from "./till.ts";

const minuteMs = 60_000;

const alone: Partial<Process> = { services: [till], lanes: 1 };

/** A bill that is opened at noon with a process running, which then goes away for an hour. */
async function openedAtNoon(shop: Deployment, id: string): Promise<number> {
  const noonMs = shop.store.nowMs();
  const { worker } = await shop.start(alone);
  await shop.publish(openBill, { id });
  await shop.until("the bill is open", async () => (await shop.read("till", bill(id)))?.is === "open");
  const closed = worker.close();
  await shop.world.advance(1_000);
  await closed;
  return noonMs;
}

async function settled(shop: Deployment, id: string): Promise<string | undefined> {
  await shop.world.advance(minuteMs);
  return (await shop.read("till", bill(id)))?.is;
}

test("a deadline does not pass before the payment that was in time has been read", async () => {
  const shop = await deploy();
  await openedAtNoon(shop, "a");
  await shop.world.advance(10 * minuteMs);
  await shop.publish(payBill, { id: "a" });
  await shop.world.advance(50 * minuteMs);
  await shop.start(alone);
  expect(await settled(shop, "a")).toBe("paid");
});

test("a deadline passes when nothing that was published before it is unread", async () => {
  const shop = await deploy();
  const noonMs = await openedAtNoon(shop, "a");
  await shop.world.advance(60 * minuteMs);
  await shop.publish(payBill, { id: "a" });
  await shop.start(alone);
  expect(await settled(shop, "a")).toBe("lapsed");
  expect((await shop.read("till", bill("a")))!.atMs[1]).toBeGreaterThanOrEqual(noonMs + 30 * minuteMs);
});

test("other partitions of the topic that are further on do not carry time past a message that waits", async () => {
  const shop = await deploy();
  const [late] = idsIn(0, shop.partitions, 1);
  const [behind] = idsIn(3, shop.partitions, 1);
  await openedAtNoon(shop, behind!);
  await shop.world.advance(10 * minuteMs);
  await shop.publish(payBill, { id: behind! });
  await shop.world.advance(45 * minuteMs);
  await shop.publish(openBill, { id: late! });
  for (let n = 0; n < 3; n++) await shop.publish(payBill, { id: late! });
  await shop.start({ ...alone, limits: { batchInputs: 1 } });
  expect(await settled(shop, behind!)).toBe("paid");
});

test("a message that claims to come from the future does not carry time past those behind it", async () => {
  const cases = [
    { aheadMs: 365 * 24 * 60 * minuteMs, ahead: 1 },
    { aheadMs: 58 * minuteMs, ahead: 100 },
  ];
  for (const { aheadMs, ahead } of cases) {
    const shop = await deploy();
    const [first, second] = idsIn(1, shop.partitions, 2);
    const noonMs = await openedAtNoon(shop, second!);
    await shop.publish(openBill, { id: first! });
    await shop.world.advance(10 * minuteMs);
    await shop.publish(payBill, { id: first! }, { atMs: noonMs + aheadMs });
    await shop.publish(payBill, { id: second! });
    await shop.world.advance(50 * minuteMs);
    const inbox = { messagesPerTopic: ahead, bytesPerTopic: 1_000_000 };
    await shop.start({ ...alone, limits: { batchInputs: 1, inbox } });
    expect(await settled(shop, second!)).toBe("paid");
  }
});

test("a message with a time in the far past does not turn time back", async () => {
  const shop = await deploy();
  await shop.start(alone);
  await shop.publish(openBill, { id: "a" });
  await shop.world.advance(minuteMs);
  await shop.publish(payBill, { id: "a" }, { atMs: 1 });
  await shop.until("it is paid", async () => (await shop.read("till", bill("a")))?.is === "paid");
  const [openedMs, paidMs] = (await shop.read("till", bill("a")))!.atMs;
  expect(paidMs).toBeGreaterThanOrEqual(openedMs!);
});

test("a topic whose broker is away holds time, and nothing else", async () => {
  const shop = await deploy();
  await openedAtNoon(shop, "a");
  await shop.world.advance(10 * minuteMs);
  await shop.publish(payBill, { id: "a" });
  let away = true;
  const payments = faultyTransport(shop.transport.handle(), {
    fetch: () => (away ? { kind: "fail" } : undefined),
  });
  const others: Transport = shop.transport.handle();
  const transportOf = (topic: string): Transport => (topic === "payments-in" ? payments : others);
  const { worker } = await shop.start({ ...alone, transportOf });
  await shop.world.advance(50 * minuteMs);
  await shop.publish(openBill, { id: "b" });
  await shop.until("b is open", async () => (await shop.read("till", bill("b")))?.is === "open");
  await shop.world.advance(5 * minuteMs);
  expect(worker.lanes()[0]!.away).toEqual(["payments-in"]);
  expect((await shop.read("till", bill("a")))?.is).toBe("open");
  away = false;
  await shop.until("a is paid", async () => (await shop.read("till", bill("a")))?.is === "paid");
});

test("a process that stood still does not take the end that it knew for the end that there is", async () => {
  const shop = await deploy();
  let frozen: Promise<void> | undefined;
  let thaw!: () => void;
  const wrapTransport = (transport: Transport): Transport =>
    faultyTransport(transport, {
      fetch: () => (frozen === undefined ? undefined : { kind: "delay", until: () => frozen! }),
    });
  await shop.start({ ...alone, wrapTransport });
  await shop.publish(openBill, { id: "a" });
  await shop.until("the bill is open", async () => (await shop.read("till", bill("a")))?.is === "open");
  frozen = new Promise((resolve) => {
    thaw = resolve;
  });
  // The fetch under way ends, and sees the end; the next one stands still.
  await shop.publish(openBill, { id: "b" });
  await shop.world.advance(10 * minuteMs);
  await shop.publish(payBill, { id: "a" });
  await shop.world.advance(25 * minuteMs);
  expect((await shop.read("till", bill("a")))?.is).toBe("open");
  frozen = undefined;
  thaw();
  expect(await settled(shop, "a")).toBe("paid");
});

test("of two topics that are read from far behind, what was published first is handled first", async () => {
  const shop = await deploy({ partitions: 1 });
  for (let n = 0; n < 60; n++) {
    await shop.publish(openBill, { id: `bill-${n}`, withinMs: 100 * minuteMs });
    await shop.world.advance(100);
    await shop.publish(payBill, { id: `bill-${n}` });
    await shop.world.advance(100);
  }
  const slow = faultyTransport(shop.transport.handle(), {
    fetch: () => ({ kind: "delay", until: () => shop.world.sleep(40) }),
  });
  const fast: Transport = shop.transport.handle();
  const { worker } = await shop.start({
    ...alone,
    transportOf: (topic) => (topic === "bills-in" ? slow : fast),
    limits: { inbox: { messagesPerTopic: 10, bytesPerTopic: 1_000_000 }, batchInputs: 16 },
  });
  await shop.until("the last bill is paid", async () => (await shop.read("till", bill("bill-59")))?.is === "paid");
  expect(worker.lanes()[0]!.counts.parked).toBe(0);
});
