import { describe, expect, test } from "vitest";
import { effect, service, when, whenSettled, type Outcome, type TryAgain } from "@waybill/messaging";
import { deploy } from "./deployment.ts";
import { clerk, desk, job, line, lines, type Asked } from "./desk.ts";

type Came = Outcome<string> | TryAgain;
const yes: Came = { kind: "done", value: "yes" };
const down: Came = { kind: "unknown", reason: "504" };

/** A desk whose line says what `answer` holds, and forty entities that want to be charged. */
async function shopWith(answer: { now: Came }, entities = 40) {
  const shop = await deploy();
  const gateway = line(async () => answer.now, { keyTtlMs: 10 * 86_400_000 });
  const worker = await shop.start({ services: [clerk], lanes: 1, adapters: lines({ charge: gateway }) });
  const ids = Array.from({ length: entities }, (_, at) => `a${at}`);
  for (const id of ids) await shop.publish(job, { id, n: 1, does: "charge" });
  const settled = async () => {
    const all = await Promise.all(ids.map((id) => shop.read("clerk", desk(id))));
    return all.filter((one) => one !== undefined).length;
  };
  return { shop, gateway, worker, ids, settled };
}

describe("a gateway that is away", () => {
  test("is asked seldom, by one call at a time, and everything is called at once when it is back", async () => {
    const answer: { now: Came } = { now: down };
    const { shop, gateway, settled, ids } = await shopWith(answer);
    await shop.until("the calls fail", () => gateway.calls.length >= 5);
    await shop.world.advance(60_000);
    const before = gateway.calls.length;
    gateway.open.most = 0;
    await shop.world.advance(3_600_000);
    const asked = gateway.calls.length - before;
    expect(asked).toBeGreaterThan(30);
    expect(asked).toBeLessThanOrEqual(3_600_000 / 30_000 + 2);
    expect(gateway.open.most).toBe(1);
    const told = shop.world.lines.filter(({ text }) => text.includes("held up"));
    expect(told).toHaveLength(1);
    answer.now = yes;
    await shop.world.advance(31_000);
    await shop.until("all are called", async () => (await settled()) === ids.length);
    expect(shop.world.lines.some(({ text }) => text.includes("answered again"))).toBe(true);
  });

  test("leaves nobody behind for a minute by the pauses of his own failures", async () => {
    const answer: { now: Came } = { now: down };
    const { shop, settled, ids } = await shopWith(answer, 8);
    // By then each of them was the one that was let through so often that its pauses are the longest.
    await shop.world.advance(3_600_000);
    answer.now = yes;
    await shop.until("it is there again", () => shop.world.lines.some(({ text }) => text.includes("answered again")));
    await shop.world.advance(1_000);
    expect(await settled()).toBe(ids.length);
  });

  test("for one entity only holds up no other", async () => {
    const shop = await deploy();
    const gateway = line(async ({ id }) => (id === "bad" ? down : yes), { keyTtlMs: 10 * 86_400_000 });
    await shop.start({ services: [clerk], lanes: 1, adapters: lines({ charge: gateway }) });
    await shop.publish(job, { id: "bad", n: 1, does: "charge" });
    await shop.until("its calls fail", () => gateway.calls.length >= 8);
    const nowMs = shop.world.monotonicMs();
    await shop.publish(job, { id: "good", n: 1, does: "charge" });
    await shop.until("another is called", async () => (await shop.read("clerk", desk("good"))) !== undefined);
    expect(shop.world.monotonicMs() - nowMs).toBeLessThan(1_000);
    expect(shop.world.lines.some(({ text }) => text.includes("held up"))).toBe(false);
  });
});

describe("a gateway that asks for patience", () => {
  test("gets no call of anybody before the time that it named", async () => {
    const answer: { now: Came } = { now: { kind: "again", reason: "rate_limited", afterMs: 5_000 } };
    const { shop, gateway, settled, ids } = await shopWith(answer);
    await shop.until("it is asked", () => gateway.calls.length > 0);
    const first = gateway.calls.length;
    expect(first).toBeLessThanOrEqual(32);
    await shop.world.advance(4_900);
    expect(gateway.calls).toHaveLength(first);
    answer.now = yes;
    await shop.world.advance(200);
    await shop.until("all are called", async () => (await settled()) === ids.length);
  });

  test("for one call only is not made to wait for by others", async () => {
    const answer: { now: Came } = { now: { kind: "again", reason: "key_in_flight", afterMs: 60_000, onlyThis: true } };
    const { shop, gateway, settled } = await shopWith(answer, 8);
    await shop.until("all are asked for", () => gateway.calls.length === 8);
    answer.now = yes;
    await shop.publish(job, { id: "late", n: 1, does: "charge" });
    await shop.until("the next is called", () => gateway.calls.some(({ what }) => what === "late 1"));
    expect(await settled()).toBe(0);
    await shop.world.advance(60_000);
    await shop.until("and they are in the end", async () => (await settled()) === 8);
  });
});

test("queues that begin alike call one side: what one of them hears, the others know", async () => {
  const pay = effect<Asked, string>("pay", { queue: "bank/money" });
  const ping = effect<Asked, string>("ping", { queue: "bank/presence" });
  const bank = service("bank", {
    on: [
      when(
        job,
        () => [],
        (m, _none, out) => out.effect(m.does === "hint" ? ping : pay, { id: m.id, n: m.n }),
      ),
      ...[pay, ping].map((of) =>
        whenSettled(
          of,
          (r) => [desk(r.input.id)],
          (r, [held], out) => out.save(held, { answers: [r.outcome.kind] }),
        ),
      ),
    ],
  });
  const shop = await deploy();
  let answer: Came = down;
  const [pays, pings] = [line(async () => answer), line(async () => answer)];
  const worker = await shop.start({ services: [bank], lanes: 1, adapters: { pay: pays, ping: pings } });
  for (let at = 0; at < 6; at++) await shop.publish(job, { id: `p${at}`, n: 1, does: "charge" });
  await shop.until("calls are held up", () => worker.worker.lanes()[0]!.heldQueues.length > 0);
  expect(worker.worker.lanes()[0]!.heldQueues).toEqual(["bank"]);
  await shop.publish(job, { id: "ping", n: 1, does: "hint" });
  expect(pings.calls).toEqual([]);
  await shop.until("the presence is asked for too", () => pings.calls.length > 0);
  answer = yes;
  await shop.until("all are answered", async () => (await shop.read("bank", desk("p5"))) !== undefined);
  expect(worker.worker.lanes()[0]!.heldQueues).toEqual([]);
});

describe("a gateway that is asked by key, and forgets", () => {
  const lost = async (): Promise<Came> => down;

  async function doubtful(keyTtlMs: number | undefined, find: () => Promise<Came | undefined>) {
    const shop = await deploy();
    const limit = keyTtlMs === undefined ? {} : { keyTtlMs };
    const { keyTtlMs: _, ...gateway } = line(lost, { idempotent: "find", find });
    await shop.start({ services: [clerk], lanes: 1, adapters: lines({ charge: { ...gateway, ...limit } }) });
    await shop.publish(job, { id: "a", n: 1, does: "charge" });
    await shop.until("it is called", () => gateway.calls.length === 1);
    return { shop, calls: gateway.calls };
  }

  const answer = async (shop: Awaited<ReturnType<typeof deploy>>) => (await shop.read("clerk", desk("a")))?.answers[0];

  test("is not believed that it never happened once it may have forgotten, and is not called again", async () => {
    let isUp = false;
    const find = async () => (isUp ? undefined : { ...down });
    const { shop, calls } = await doubtful(60_000, find);
    await shop.world.advance(120_000);
    isUp = true;
    await shop.until("it is told", async () => (await answer(shop)) !== undefined);
    expect(await answer(shop)).toMatch(/^1 unknown The other side may have forgotten/);
    expect(calls).toHaveLength(1);
  });

  test("is believed what it does remember, however old that is", async () => {
    let isUp = false;
    const { shop, calls } = await doubtful(60_000, async () => (isUp ? { kind: "done", value: "found" } : { ...down }));
    await shop.world.advance(120_000);
    isUp = true;
    await shop.until("it is told", async () => (await answer(shop)) !== undefined);
    expect([await answer(shop), calls.length]).toEqual(["1 done found", 1]);
  });

  test("may ask for patience instead of an answer", async () => {
    const came: (Came | undefined)[] = [
      { kind: "again", reason: "rate_limited", afterMs: 7_000 },
      { kind: "done", value: "found" },
    ];
    const asked: number[] = [];
    const { shop, calls } = await doubtful(undefined, async () => {
      asked.push(shop.world.monotonicMs());
      return came.shift();
    });
    await shop.until("it is told", async () => (await answer(shop)) !== undefined);
    expect([await answer(shop), calls.length]).toEqual(["1 done found", 1]);
    expect(asked[1]! - asked[0]!).toBeGreaterThanOrEqual(7_000);
  });
});

test("what is too old to be called ends without a call, also while calls are held up", async () => {
  const shop = await deploy();
  const hints = line(async () => down);
  await shop.start({ services: [clerk], lanes: 1, adapters: lines({ hint: hints }) });
  const ids = Array.from({ length: 40 }, (_, at) => `h${at}`);
  for (const id of ids) await shop.publish(job, { id, n: 1, does: "hint" });
  await shop.until("the calls fail", () => hints.calls.length >= 5);
  await shop.world.advance(91_000);
  const answers = await Promise.all(ids.map((id) => shop.read("clerk", desk(id))));
  expect(answers.map((one) => one?.answers[0])).toEqual(ids.map(() => expect.stringMatching(/^1 (refused|unknown) /)));
});
