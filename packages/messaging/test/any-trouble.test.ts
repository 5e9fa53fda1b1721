import { array, assert, asyncProperty, constantFrom, integer, record, type Arbitrary } from "fast-check";
import { expect, test } from "vitest";
import { dice } from "@waybill/memory";
import { faultyStore, faultyTransport, type AppendFault, type CommitFault } from "@waybill/conformance";
import type { EffectAdapter, StoredMessage } from "@waybill/messaging";
import { call, count, counter, tally, tallier, thing } from "./counter.ts";
import { deploy, type Deployment, type Process, type Started } from "./deployment.ts";

const ids = ["a", "b", "c", "d", "e"];

/** What a test does next. */
interface Step {
  readonly does: "publish" | "wait" | "kill" | "start" | "close";
  readonly of: number;
  readonly times: number;
}

const step: Arbitrary<Step> = record({
  does: constantFrom("publish", "publish", "publish", "wait", "wait", "kill", "start", "close"),
  of: integer({ min: 0, max: ids.length - 1 }),
  times: integer({ min: 1, max: 12 }),
});

/** A gateway as it is outside of every process: it knows each key once, whatever becomes of its answers. */
function gateway(random: () => number): EffectAdapter<{ id: string; total: number }, string> & {
  readonly taken: Map<string, string>;
} {
  const taken = new Map<string, string>();
  return {
    taken,
    idempotent: "key",
    keyTtlMs: 86_400_000,
    async call(input, { key }) {
      const luck = random();
      if (luck < 0.15) return { kind: "again", reason: "busy" };
      taken.set(key, `${input.id} ${input.total}`);
      if (luck < 0.3) throw new Error("The answer was lost.");
      return { kind: "done", value: `${input.id} ${input.total}` };
    },
  };
}

/** A process whose database and broker fail now and then, for as long as there is trouble. */
function troubled(random: () => number, isCalm: () => boolean): Pick<Process, "wrapStore" | "wrapTransport"> {
  const commits = ["unknown-done", "unknown-not-done", "unavailable"] as const;
  const commit = (): CommitFault | undefined => {
    if (isCalm() || random() > 0.1) return undefined;
    return { kind: commits[Math.floor(random() * commits.length)]! };
  };
  const append = (): AppendFault | undefined => {
    if (isCalm() || random() > 0.2) return undefined;
    const kinds: AppendFault[] = [{ kind: "fail" }, { kind: "lose-answer" }, { kind: "part", count: 1 }];
    return kinds[Math.floor(random() * kinds.length)]!;
  };
  const fails = () => (isCalm() || random() > 0.05 ? undefined : ({ kind: "fail" } as const));
  return {
    wrapStore: (store) =>
      faultyStore(store, {
        commit,
        call: () => (isCalm() || random() > 0.02 ? undefined : { kind: "unavailable" }),
      }),
    wrapTransport: (transport) => faultyTransport(transport, { append, fetch: fails }),
  };
}

/** Everything on a topic, by partition. */
async function logs(shop: Deployment, topic: string): Promise<StoredMessage[][]> {
  const all: StoredMessage[][] = [];
  for (let partition = 0; partition < shop.partitions; partition++) {
    await using reader = shop.transport.reader([{ topic, partition, logId: "", nextOffset: 0 }]);
    const { messages } = await reader.fetch({ messages: 1e6, bytes: 1e9, waitMs: 0 }, new AbortController().signal);
    all.push([...messages]);
  }
  return all;
}

/** The numbers of each source in a partition, once the repeats are dropped, with what each says came before it. */
function expectUnbroken(log: readonly StoredMessage[]): void {
  const last = new Map<string, number>();
  for (const { stamp } of log) {
    const { source, n, prev } = stamp!;
    const mark = last.get(source) ?? 0;
    if (n <= mark) continue;
    expect({ source, n, prev }).toEqual({ source, n, prev: mark });
    last.set(source, n);
  }
}

async function run(seed: number, steps: readonly Step[]): Promise<void> {
  const shop = await deploy({ seed, partitions: 3 });
  const random = dice(seed);
  const bank = gateway(random);
  let isOver = false;
  const running: Started[] = [];
  const start = async (): Promise<void> => {
    if (running.length >= 3) return;
    const limits = { batchInputs: 4, sender: { messages: 3, bytes: 100_000, append: 2 } };
    let isStarting = true;
    const trouble = troubled(random, () => isOver || isStarting);
    running.push(await shop.start({ lanes: 3, limits, adapters: { call: bank }, ...trouble }));
    isStarting = false;
  };
  const published = new Map(ids.map((id) => [id, 0]));
  await start();
  for (const one of steps) {
    if (one.does === "start") await start();
    else if (one.does === "kill") running.shift()?.kill();
    else if (one.does === "wait") await shop.world.advance(60 * one.times ** 2);
    else if (one.does === "close") {
      const closing = running
        .shift()
        ?.worker.close()
        .catch(() => undefined);
      await shop.world.advance(500);
      await closing;
    } else {
      const id = ids[one.of]!;
      for (let n = 0; n < one.times; n++) await shop.publish(count, { id, by: 1, call: n % 3 === 0 });
      published.set(id, published.get(id)! + one.times);
    }
  }
  isOver = true;
  await start();
  const expected = [...published].filter(([, times]) => times > 0);
  await shop.until("everything is done", async () => {
    for (const [id, times] of expected) {
      const { length } = (await shop.read("tallier", tally(id)))?.seen ?? [];
      if ((length ?? 0) < times) return false;
    }
    const { effects } = shop.store.snapshot().contents.services.get("counter")!;
    return effects.size === 0;
  });
  await shop.world.advance(10_000);
  await expectAllOnce(shop, bank.taken, expected);
}

async function expectAllOnce(
  shop: Deployment,
  taken: ReadonlyMap<string, string>,
  expected: readonly (readonly [string, number])[],
): Promise<void> {
  const answers: string[] = [];
  for (const [id, times] of expected) {
    const held = await shop.read("counter", thing(id));
    expect(held?.total).toBe(times);
    expect((await shop.read("tallier", tally(id)))?.seen).toEqual(Array.from({ length: times }, (_, at) => at + 1));
    // Each answer was applied once, and in the order in which the calls were asked for.
    const totals = held!.answers.map((answer) => Number(answer.split(" ")[1]));
    expect(totals).toEqual([...new Set(totals)].toSorted((a, b) => a - b));
    answers.push(...held!.answers);
  }
  expect(answers.toSorted()).toEqual([...taken.values()].toSorted());
  expect(await shop.store.parkedKeys("counter")).toEqual([]);
  expect(await shop.store.parkedKeys("tallier")).toEqual([]);
  for (const log of await logs(shop, "counts")) expectUnbroken(log);
}

test("whatever fails or dies, every message is counted once and in order, and every answer applied once", async () => {
  await assert(
    asyncProperty(
      record({ seed: integer({ min: 1, max: 1e6 }), steps: array(step, { minLength: 4, maxLength: 25 }) }),
      async ({ seed, steps }) => run(seed, steps),
    ),
    { seed: 20_260_101, numRuns: 40, endOnFailure: true },
  );
  expect([call.name, counter.name, tallier.name]).toEqual(["call", "counter", "tallier"]);
});
